"""Runs the catalogue over one client's day and turns what Great Expectations found into a verdict."""

import re
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality.batches import batch_queries, samples_query
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.gx_loading import load_great_expectations
from symbiosys_pipeline.quality.rule import Batch, Rule
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.quality.suites import RULE_ID, suites
from symbiosys_pipeline.quality.verdict import MOST_SAMPLES, RowRef, RuleOutcome, Verdict

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )

    from symbiosys_pipeline.quality.duckdb_source import QualitySession

_one_at_a_time = threading.Lock()

#: Errors of these kinds name columns, tables and files, never a field's value; others may quote one.
_TELLING = re.compile(
    r"(?:Binder Error|Catalog Error): [^\n]*|No files found that match the pattern [^\n]*"
    r'|The column "\w+" in BatchData does not exist'
)
_KIND = re.compile(r"\b\w+(?:Exception|Error)\b")

_REMEDY_OF_AN_ERROR = "Nothing is known about the data: mend the cause named, then judge the day again."


@dataclass(frozen=True)
class Judgement:
    """What a validation found, for machines and for people.

    Attributes:
        verdict: The outcome of every rule.
        results: Great Expectations' own results, one per batch that could be read; they hold counts only, and
            errors are reduced to their kind.
    """

    verdict: Verdict
    results: tuple["ExpectationSuiteValidationResult", ...]


@dataclass(frozen=True)
class _Finding:
    passed: bool | None
    checked: int = 0
    unexpected: int = 0
    error: str | None = None


def judge(
    profile: ClientProfile,
    dataset: Dataset,
    event_day: date,
    *,
    staging: Sequence[str],
    quarantine: Sequence[str],
    facts: DayFacts,
    memory_limit: str = "2GB",
) -> Judgement:
    """Judge one staged day by every rule of its dataset (CONTRACT 6).

    A rule that cannot run gives an outcome with `passed` None and makes the verdict `errored`: it is never
    taken for a failure of the data, nor for a pass. A rule with nothing to judge passes and says why.

    Args:
        profile: The client's profile, for thresholds and meanings.
        dataset: Which dataset.
        event_day: The client-local event day.
        staging: Addresses of the day's STAGING Parquet files; none for a day without rows.
        quarantine: Addresses of QUARANTINE Parquet files; only their rows of this event day count.
        facts: The day's books and history.
        memory_limit: DuckDB's memory limit; beyond it DuckDB spills to the system's temporary folder.
    """
    load_great_expectations()
    from symbiosys_pipeline.quality.duckdb_source import quality_session  # noqa: PLC0415  takes 7 seconds

    rules = rules_for(dataset)
    queries = batch_queries(
        profile, dataset, event_day, rules, staging=staging, quarantine=quarantine, facts=facts
    )
    findings: dict[str, _Finding] = {}
    results: list[ExpectationSuiteValidationResult] = []
    samples: dict[str, tuple[RowRef, ...]] = {}
    with _one_at_a_time:
        session = quality_session(memory_limit, tempfile.gettempdir())
        try:
            for batch, suite in suites(rules, profile).items():
                batch_rules = [rule for rule in rules if rule.batch is batch]
                unreadable = _replace_batch(session, batch, queries[batch])
                if unreadable is not None:
                    findings |= {rule.id: _Finding(passed=None, error=unreadable) for rule in batch_rules}
                    continue
                result = session.validate(batch, suite)
                results.append(result)
                findings |= {_rule_id(one): _finding(one) for one in result.results}
                samples |= _samples(session, batch_rules, findings)
        finally:
            session.drop_batches()
    outcomes = tuple(
        _outcome(rule, profile, event_day, facts, finding=findings[rule.id], samples=samples.get(rule.id, ()))
        for rule in rules
    )
    return Judgement(Verdict(profile.client, dataset, event_day, outcomes), tuple(results))


def _replace_batch(session: "QualitySession", batch: Batch, query: str) -> str | None:
    """Why the batch cannot be read, or None."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  comes with the session's slow import

    try:
        session.replace_batch(batch, query)
    except DBAPIError as error:
        return _told(str(error))
    return None


def _rule_id(result: Any) -> str:
    return str(result.expectation_config.meta[RULE_ID])


def _finding(result: Any) -> _Finding:
    """What one expectation found; Great Expectations' results are untyped dicts inside."""
    error = _error(result.exception_info)
    if error is not None:
        # The message and traceback may quote values: what goes to the docs must not.
        result.exception_info = {
            "raised_exception": True,
            "exception_message": error,
            "exception_traceback": "",
        }
        return _Finding(passed=None, error=error)
    counts: dict[str, Any] = result.result
    checked = counts["element_count"] - (counts.get("missing_count") or 0)
    return _Finding(passed=bool(result.success), checked=checked, unexpected=counts["unexpected_count"] or 0)


def _error(exception_info: dict[str, Any] | None) -> str | None:
    """What went wrong, without any value; None where nothing did.

    Great Expectations gives one exception, or a dict of them by metric.
    """
    if not exception_info:
        return None
    every: Iterable[Any] = (
        [exception_info] if "raised_exception" in exception_info else exception_info.values()
    )
    raised = [one for one in every if one["raised_exception"]]
    return _told(f"{raised[0]['exception_message']}") if raised else None


def _told(message: str) -> str:
    """The telling part of an error message, or only its kind where the message may quote a value."""
    telling = _TELLING.search(message)
    if telling:
        return f"could not run: {telling.group()}"
    kind = _KIND.search(message)
    return f"could not run: {kind.group() if kind else 'error'} (its message may hold values and is not kept)"


def _samples(
    session: "QualitySession", rules: Iterable[Rule], findings: dict[str, _Finding]
) -> dict[str, tuple[RowRef, ...]]:
    return {
        rule.id: tuple(
            RowRef(delivery_id, row_number)
            for delivery_id, row_number in session.rows(samples_query(rule, MOST_SAMPLES))
        )
        for rule in rules
        if rule.failing is not None and findings[rule.id].unexpected
    }


def _outcome(
    rule: Rule,
    profile: ClientProfile,
    event_day: date,
    facts: DayFacts,
    *,
    finding: _Finding,
    samples: tuple[RowRef, ...],
) -> RuleOutcome:
    not_judged = rule.not_judged(profile, event_day, facts)
    if finding.passed is None:
        observed = "not known"
    elif not_judged is not None:
        observed = f"not judged: {not_judged}"
    elif finding.checked == 0:
        observed = f"not judged: no {rule.counted}"
    elif rule.describe is not None:
        observed = rule.describe(profile, facts)
    else:
        observed = _share_observed(rule, profile, finding)
    return RuleOutcome(
        rule_id=rule.id,
        title=rule.title,
        severity=rule.severity,
        passed=finding.passed,
        checked=finding.checked,
        unexpected=finding.unexpected,
        observed=observed,
        remedy=rule.remedy if finding.passed is not None else _REMEDY_OF_AN_ERROR,
        samples=samples,
        error=finding.error,
    )


def _share_observed(rule: Rule, profile: ClientProfile, finding: _Finding) -> str:
    right = finding.checked - finding.unexpected
    # Rounded down: 98.999 % must not read as the 99 % that was needed.
    share = right * 10_000 // finding.checked / 100
    needed = rule.least_share(profile.thresholds)
    return f"{right:,} of {finding.checked:,} {rule.counted}: {share:g} %, at least {needed * 100:g} % needed"
