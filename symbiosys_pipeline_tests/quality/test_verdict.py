"""Verdicts: acceptance, exact JSON, a table that no text can break."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.quality.verdict import RowRef, RuleOutcome, Severity, Verdict

OUTCOMES = st.builds(
    RuleOutcome,
    rule_id=st.text(),
    title=st.text(),
    severity=st.sampled_from(Severity),
    passed=st.sampled_from([True, False, None]),
    checked=st.integers(0, 2**62),
    unexpected=st.integers(0, 2**62),
    observed=st.text(),
    remedy=st.text(),
    samples=st.lists(st.builds(RowRef, st.text(), st.integers(1, 2**62)), max_size=5).map(tuple),
    error=st.none() | st.text(),
)
VERDICTS = st.builds(
    Verdict,
    client=st.text(),
    dataset=st.sampled_from(Dataset),
    event_day=st.dates(),
    outcomes=st.lists(OUTCOMES, max_size=4).map(tuple),
)


def outcome(rule_id: str, passed: bool | None, severity: Severity = Severity.CRITICAL) -> RuleOutcome:
    return RuleOutcome(
        rule_id=rule_id,
        title="a | b",
        severity=severity,
        passed=passed,
        checked=2,
        unexpected=1,
        observed="1 of 2",
        remedy="Mend it.",
        samples=(RowRef("00ff", 3),),
        error="could not run" if passed is None else None,
    )


def verdict(*outcomes: RuleOutcome) -> Verdict:
    return Verdict("acme", Dataset.ORDERS, date(2026, 11, 1), outcomes)


@given(VERDICTS)
def test_json_round_trip_is_exact(given_verdict: Verdict) -> None:
    assert Verdict.from_json(given_verdict.to_json()) == given_verdict


@pytest.mark.parametrize(
    ("outcomes", "accepted", "errored"),
    [
        pytest.param((), True, False, id="nothing to judge"),
        pytest.param((outcome("a", True),), True, False, id="passed"),
        pytest.param((outcome("a", False, Severity.WARNING),), True, False, id="warned"),
        pytest.param((outcome("a", True), outcome("b", False)), False, False, id="failed"),
        pytest.param((outcome("a", None, Severity.WARNING),), False, True, id="an error is no pass"),
    ],
)
def test_acceptance(outcomes: tuple[RuleOutcome, ...], accepted: bool, errored: bool) -> None:
    assert (verdict(*outcomes).accepted, verdict(*outcomes).errored) == (accepted, errored)


def test_failed_names_critical_rules_first() -> None:
    warned, failed = outcome("a", False, Severity.WARNING), outcome("b", False)
    errored, passed = outcome("c", None), outcome("d", True)
    assert verdict(warned, failed, errored, passed).failed() == (failed, warned)


def test_markdown_summary() -> None:
    summary = verdict(outcome("a", True), outcome("b", False), outcome("c", None)).summary_markdown()
    assert summary.splitlines() == [
        "**acme orders 2026-11-01: rejected (3 rules, 1 critical and 0 warning failed, 1 could not run)**",
        "",
        "| | rule | severity | observed |",
        "| --- | --- | --- | --- |",
        "| pass | a \\| b | critical | 1 of 2 |",
        "| **FAIL** | a \\| b | critical | 1 of 2 |",
        "| **ERROR** | a \\| b | critical | could not run |",
        "",
        "What to do:",
        "",
        "* `b`: Mend it. First rows (delivery:row): 00ff:3.",
        "* `c`: Mend it. First rows (delivery:row): 00ff:3.",
    ]


@given(VERDICTS)
def test_no_text_breaks_the_table(given_verdict: Verdict) -> None:
    table = given_verdict.summary_markdown().split("\n| --- | --- | --- | --- |\n")[1].split("\n\n")[0]
    lines = table.rstrip("\n").split("\n") if given_verdict.outcomes else []
    assert len(lines) == len(given_verdict.outcomes)
    assert {line.replace("\\|", "").count("|") for line in lines} <= {5}
