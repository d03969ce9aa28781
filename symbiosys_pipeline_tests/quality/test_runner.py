"""The runner: days without rows, broken inputs, errors that are neither pass nor failure, and privacy."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality import runner
from symbiosys_pipeline.quality.data_docs import render_validation
from symbiosys_pipeline.quality.row_rules import flagged
from symbiosys_pipeline.quality.rule import Batch, Expected, Rule
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.quality.runner import Judgement, judge
from symbiosys_pipeline_tests.quality.staged_days import DAY, balanced, client, judged, staged

EMAIL = "anna.nilsson@mail.example"


def shown(judgement: Judgement) -> str:
    """Everything a person or a program gets to see of a judgement."""
    page = render_validation(judgement, judged_at=datetime(2026, 11, 2, tzinfo=UTC))
    return page + judgement.verdict.to_json() + judgement.verdict.summary_markdown() + repr(judgement.results)


@pytest.mark.parametrize("dataset", list(Dataset))
@pytest.mark.parametrize("has_file", [True, False], ids=["an empty file", "no file"])
def test_an_empty_day_passes(tmp_path: Path, dataset: Dataset, has_file: bool) -> None:
    facts = balanced(0, history_median=None)
    if has_file:
        verdict = judged(tmp_path, dataset, [], facts=facts).verdict
    else:
        verdict = judge(client(), dataset, DAY, staging=[], quarantine=[], facts=facts).verdict
    assert verdict.accepted
    assert not verdict.failed()
    about_rows = {rule.id for rule in rules_for(dataset) if rule.batch is not Batch.FACTS}
    assert all(
        outcome.observed.startswith("not judged: ")
        for outcome in verdict.outcomes
        if outcome.rule_id in about_rows
    )


def test_files_with_any_name_are_read_together(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] *?"
    folder.mkdir()
    frame = staged(Dataset.PAGE_VIEWS, [{}, {}, {"visitor_id": None}])
    frame[:1].write_parquet(folder / "1.parquet")
    frame[1:].write_parquet(folder / "2.parquet")
    verdict = judge(
        client(),
        Dataset.PAGE_VIEWS,
        DAY,
        staging=[str(folder / "1.parquet"), str(folder / "2.parquet")],
        quarantine=[],
        facts=balanced(3),
    ).verdict
    assert (verdict.outcomes[1].checked, verdict.outcomes[1].unexpected) == (3, 1)


@pytest.mark.parametrize("missing", ["staging", "quarantine"])
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, missing: str) -> None:
    gone = [str(tmp_path / "gone.parquet")]
    verdict = judge(
        client(),
        Dataset.ORDERS,
        DAY,
        staging=gone if missing == "staging" else [],
        quarantine=gone if missing == "quarantine" else [],
        facts=balanced(0, history_median=None),
    ).verdict
    assert verdict.errored
    assert not verdict.accepted
    received = verdict.outcomes[0]
    assert (received.passed, received.observed) == (None, "not known")
    assert "gone.parquet" in (received.error or "")
    assert received.remedy.startswith("Nothing is known about the data")
    assert verdict.outcomes[-1].passed is True


def test_a_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    staged(Dataset.PAGE_VIEWS, [{}]).drop("crm_id").write_parquet(tmp_path / "old.parquet")
    verdict = judge(
        client(),
        Dataset.PAGE_VIEWS,
        DAY,
        staging=[str(tmp_path / "old.parquet")],
        quarantine=[],
        facts=balanced(1),
    ).verdict
    errors = {outcome.rule_id: outcome.error for outcome in verdict.outcomes if outcome.passed is None}
    assert "crm_id" in (errors["format_crm_id"] or "")
    assert "completeness_visitor_id" not in errors


def _rule(rule_id: str, expected: Expected, flag: str | None = None) -> Rule:
    def build(_: ClientProfile) -> Expected:
        return expected

    def flag_sql(_: ClientProfile) -> str:
        return flag or ""

    model = next(rule for rule in rules_for(Dataset.PAGE_VIEWS) if rule.id == "format_crm_id")
    return replace(model, id=rule_id, expected=build, failing=None, flag=flag_sql if flag else None)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            _rule(
                "cannot_run", Expected("ExpectColumnValuesToBeBetween", {"column": "crm_id", "min_value": 0})
            ),
            "Binder Error: Cannot compare",
        ),
        # DuckDB's message quotes the value it could not convert.
        (
            _rule("cannot_run", flagged("cannot_run"), flag='CAST("crm_id" AS INTEGER) > 0'),
            "ConversionException",
        ),
    ],
    ids=["in an expectation", "in a flag"],
)
def test_a_rule_that_raises_is_an_error_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: Rule, told: str
) -> None:
    def with_the_rule(dataset: Dataset) -> tuple[Rule, ...]:
        return (rule, *rules_for(dataset))

    monkeypatch.setattr(runner, "rules_for", with_the_rule)
    judgement = judged(tmp_path, Dataset.PAGE_VIEWS, [{"crm_id": EMAIL}])
    outcome = judgement.verdict.outcomes[0]
    assert (outcome.rule_id, outcome.passed, outcome.unexpected) == ("cannot_run", None, 0)
    assert told in (outcome.error or "")
    assert judgement.verdict.errored
    assert not judgement.verdict.accepted
    assert EMAIL not in shown(judgement)
    assert "anna" not in shown(judgement)

    monkeypatch.undo()
    assert judged(tmp_path, Dataset.PAGE_VIEWS, [{}]).verdict.accepted


@pytest.mark.parametrize("dataset", list(Dataset))
def test_no_value_of_a_row_is_shown(tmp_path: Path, dataset: Dataset) -> None:
    texts = [name for name, dtype in staged(dataset, []).schema.items() if dtype == pl.String()]
    planted = {name: EMAIL for name in texts if name != "delivery_id"}
    numbers = (
        {"quantity": 987_654, "regular_unit_price": Decimal("-98765.43")} if dataset is Dataset.ORDERS else {}
    )
    judgement = judged(tmp_path, dataset, [{**planted, **numbers}] * 2)
    assert {outcome.rule_id for outcome in judgement.verdict.failed()} >= {
        "format_visitor_id",
        "format_hashed_fields",
        "format_page_url",
    }
    everything = shown(judgement)
    assert "anna" not in everything
    assert "mail.example" not in everything
    assert "987654" not in everything.replace(",", "")
    assert "98765.43" not in everything
