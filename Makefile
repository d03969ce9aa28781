.PHONY: demo test dev lint lock bench
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export DO_NOT_TRACK = 1
export GX_ANALYTICS_ENABLED = false

demo: $(READY) ## Two invented clients, from deliveries to event tables, beside the known truth.
	$(BIN)/symbiosys demo

dev: $(READY) ## The Dagster UI on the demo's data.
	@test -e data/demo/.symbiosys-demo || $(BIN)/symbiosys demo
	$(BIN)/symbiosys --home data/demo --clients data/demo/clients dev

test: $(READY) ## Every test.
	$(BIN)/pytest -n 2 --dist worksteal

lint: $(READY) ## Formatting, lint, types, definitions.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m symbiosys_pipeline_tests.validate_definitions

$(READY): requirements.lock pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock: $(READY) ## Resolve the dependencies again.
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-strip-extras --no-header \
	  --python-version 3.11 --output-file requirements.lock
