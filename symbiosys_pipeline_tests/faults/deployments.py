"""Deployments of the small client as the tests see them: run by other processes, read by this one."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.settings import Settings
from symbiosys_pipeline.steps.restore import restore_ledger
from symbiosys_pipeline_tests.faults.jobs import Job, Outcome
from symbiosys_pipeline_tests.faults.worker import open_deployment

#: When something was done, and how often, differs between a run that was killed and one that was not.
_NOT_COMPARED = {
    "published_at",
    "decided_at",
    "first_seen_at",
    "revision",
    "reason",
    "observed_seq",
    "previous",
}
_DAY_SECONDS = 24 * 3600


class Workers:
    """The process that forks workers, on the other end of a pipe."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, *jobs: Job) -> list[Outcome]:
        """Run jobs at the same time, to their ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(job) for job in jobs]) + "\n")
        self._process.stdin.flush()
        return [Outcome(**outcome) for outcome in json.loads(self._process.stdout.readline())]

    def run_well(self, *jobs: Job) -> list[Outcome]:
        """`run`, where nothing may go wrong."""
        outcomes = self.run(*jobs)
        for outcome in outcomes:
            assert (outcome.error, outcome.failures, outcome.status) == (None, [], 0)
        return outcomes


@contextmanager
def started_workers() -> Iterator[Workers]:
    # One thread at import: numpy's linear algebra would start its own.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2"}
    with subprocess.Popen(
        [sys.executable, "-m", "symbiosys_pipeline_tests.faults.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    ) as process:
        yield Workers(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class State:
    """All that a deployment holds, apart from when and how often it was done.

    Attributes:
        files: Every file of the lake outside its scratch folder: its hash, or a record's content.
        ledger: Every row of the ledger's tables.
    """

    files: dict[str, str]
    ledger: dict[str, list[str]]

    def without_verdicts(self) -> "State":
        """Without what was said of versions on the way, of which racing processes make more or fewer."""
        return State(
            {name: content for name, content in self.files.items() if not name.startswith("verdicts/")},
            {table: rows for table, rows in self.ledger.items() if table != "verdicts"},
        )


def published(home: Path, layer: str = "events") -> dict[str, str]:
    """What a reader of the event (or staging) tables finds: file name -> hash."""
    lake = home / "lake"
    return {
        str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((lake / layer).rglob("*"))
        if path.is_file()
    }


def state_of(home: Path) -> State:
    lake = home / "lake"
    files: dict[str, str] = {}
    for path in sorted(lake.rglob("*")):
        key = path.relative_to(lake)
        if path.is_file() and key.parts[0] not in {".scratch", "data_docs"}:
            files[str(key)] = (
                json.dumps(_compared(json.loads(path.read_bytes())), sort_keys=True)
                if path.suffix == ".json"
                else hashlib.sha256(path.read_bytes()).hexdigest()
            )
    deployment = open_deployment(home)
    ledger = _rows(deployment)
    deployment.ledger.close()
    return State(files, ledger)


def ledger_from_lake(home: Path, folder: Path) -> dict[str, list[str]]:
    """The rows of a ledger restored from the lake's records alone."""
    settings = Settings.at(folder, clients=home, lake_url=str(home / "lake"))
    deployment = Deployment.open(settings)
    restore_ledger(deployment)
    rows = _rows(deployment)
    deployment.ledger.close()
    return rows


def restore_ledger_of(home: Path) -> None:
    deployment = open_deployment(home)
    restore_ledger(deployment)
    deployment.ledger.close()


def copy_of(home: Path, target: Path) -> Path:
    shutil.copytree(home, target)
    return target


def age_scratch(home: Path) -> list[Path]:
    """Make what killed processes left look two days old; returns it."""
    then = time.time() - 2 * _DAY_SECONDS
    left = list((home / "lake" / ".scratch").glob("*"))
    for folder in left:
        os.utime(folder, (then, then))
    return left


def _rows(deployment: Deployment) -> dict[str, list[str]]:
    """Rows as text, in an order of their own; deliveries by key in the order they were observed."""
    found: dict[str, list[str]] = {}
    with deployment.ledger.reading() as connection:
        for table in sorted(sa.inspect(connection).get_table_names()):
            order = " ORDER BY source_key, dataset, observed_seq" if table == "deliveries" else ""
            rows = [
                json.dumps(_compared(_decoded(dict(row))), sort_keys=True, default=str)
                for row in connection.execute(sa.text(f"SELECT * FROM {table}{order}")).mappings()
            ]
            found[table] = rows if order else sorted(rows)
    return found


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.loads(value) if name in {"inputs", "counts", "facts"} and value else value
        for name, value in row.items()
    }


def _compared(record: Any) -> Any:
    if isinstance(record, dict):
        return {name: _compared(value) for name, value in record.items() if name not in _NOT_COMPARED}
    return [_compared(item) for item in record] if isinstance(record, list) else record
