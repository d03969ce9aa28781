"""Data Docs: one HTML page per validation and an index, readable without a network.

The sections are Great Expectations' own rendering. Its page template is not used: that one loads styles,
scripts and pictures from other hosts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from symbiosys_pipeline.quality.gx_loading import load_great_expectations
from symbiosys_pipeline.quality.runner import Judgement
from symbiosys_pipeline.quality.verdict import RuleOutcome, Severity, Verdict

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult

#: Great Expectations links to pages that are not made here, and gives collapsed blocks a random id.
_LINK = re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL)
_UUID = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FOLDED_TITLE = re.compile(r"<p class=\"m-0\">\s*Show more info\.\.\.\s*</p>")


@dataclass(frozen=True)
class IndexEntry:
    """One line of the index.

    Attributes:
        verdict: What the page says.
        href: The page's address, relative to the index.
        judged_at: When it was judged, UTC.
    """

    verdict: Verdict
    href: str
    judged_at: datetime


def render_validation(judgement: Judgement, *, judged_at: datetime, index_href: str | None = None) -> str:
    """The page of one validation: the verdict, then Great Expectations' sections.

    Self-contained: no script, and nothing is loaded from anywhere.

    Args:
        judgement: What `runner.judge` found.
        judged_at: When, with its time zone.
        index_href: Address of the index, relative to the page.
    """
    verdict = judgement.verdict
    title = _title(verdict)
    back = f'<p><a href="{escape(index_href)}">All validations</a></p>' if index_href else ""
    return _page(
        title,
        f"{back}<h1>{escape(title)} {_verdict_badge(verdict)}</h1>"
        f"<p>Judged {judged_at:%Y-%m-%d %H:%M %Z}. {_counts(verdict)}</p>"
        "<table><thead><tr><th></th><th>Rule</th><th>Severity</th><th>Observed</th></tr></thead><tbody>"
        + "".join(_rule_row(outcome) for outcome in verdict.outcomes)
        + "</tbody></table><h2>Great Expectations</h2>"
        + _sections(judgement, title, judged_at),
    )


def render_index(entries: Sequence[IndexEntry]) -> str:
    """The index of validations, newest event day first, then by client and dataset."""
    by_name = sorted(entries, key=lambda entry: (entry.verdict.client, entry.verdict.dataset))
    newest_first = sorted(by_name, key=lambda entry: entry.verdict.event_day, reverse=True)
    return _page(
        "Validations",
        f"<h1>Validations</h1><p>{len(entries):,} validated days.</p>"
        "<table><thead><tr><th></th><th>Event day</th><th>Client</th><th>Dataset</th><th>Failed rules</th>"
        "<th>Judged</th></tr></thead><tbody>"
        + "".join(_index_row(entry) for entry in newest_first)
        + "</tbody></table>",
    )


def _title(verdict: Verdict) -> str:
    return f"{verdict.client} {verdict.dataset} {verdict.event_day}"


def _page(title: str, body: str) -> str:
    style = files("symbiosys_pipeline.quality").joinpath("docs_style.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head><body><main>{body}</main></body></html>\n"
    )


def _badge(style: str, text: str) -> str:
    return f'<span class="badge {style}">{text}</span>'


def _verdict_badge(verdict: Verdict) -> str:
    return _badge("pass", "accepted") if verdict.accepted else _badge("fail", "rejected")


def _outcome_badge(outcome: RuleOutcome) -> str:
    if outcome.passed is None:
        return _badge("error", "error")
    if not outcome.passed:
        is_critical = outcome.severity is Severity.CRITICAL
        return _badge("fail", "fail") if is_critical else _badge("warn", "warning")
    return _badge("pass", "pass") if outcome.checked else _badge("unjudged", "not judged")


def _counts(verdict: Verdict) -> str:
    failed = len(verdict.failed())
    errors = sum(outcome.passed is None for outcome in verdict.outcomes)
    return f"{len(verdict.outcomes)} rules: {failed} failed, {errors} could not run."


def _rule_row(outcome: RuleOutcome) -> str:
    found = escape(outcome.error or outcome.observed)
    if not outcome.passed:
        found += f"<small>{escape(outcome.remedy)}</small>"
    if outcome.samples:
        rows = ", ".join(f"{sample.delivery_id}:{sample.row_number}" for sample in outcome.samples)
        found += f"<small>First rows (delivery:row) <code>{escape(rows)}</code></small>"
    return (
        f"<tr><td>{_outcome_badge(outcome)}</td><td>{escape(outcome.title)}"
        f"<small><code>{outcome.rule_id}</code></small></td>"
        f"<td>{outcome.severity}</td><td>{found}</td></tr>"
    )


def _index_row(entry: IndexEntry) -> str:
    verdict = entry.verdict
    names = [outcome.rule_id for outcome in verdict.outcomes if not outcome.passed]
    return (
        f"<tr><td>{_verdict_badge(verdict)}</td>"
        f'<td class="time"><a href="{escape(entry.href)}">{verdict.event_day}</a></td>'
        f"<td>{escape(verdict.client)}</td><td>{verdict.dataset}</td>"
        f"<td><code>{', '.join(names)}</code></td>"
        f'<td class="time">{entry.judged_at:%Y-%m-%d %H:%M %Z}</td></tr>'
    )


def _sections(judgement: Judgement, title: str, judged_at: datetime) -> str:
    """Great Expectations' rendering of the results, without its links."""
    load_great_expectations()
    from great_expectations.render.renderer.page_renderer import (  # noqa: PLC0415  takes 7 seconds
        ValidationResultsPageRenderer,
    )
    from great_expectations.render.view.view import DefaultJinjaSectionView  # noqa: PLC0415  likewise

    # Great Expectations' render classes are untyped.
    renderer: Any = ValidationResultsPageRenderer()
    view: Any = DefaultJinjaSectionView()
    document = renderer.render(_one_result(judgement, title, judged_at)).to_json_dict()
    html = "\n".join(
        view.render({"section": section, "section_loop": {"index": number}})
        for number, section in enumerate(document["sections"], start=1)
    )
    return _FOLDED_TITLE.sub("", _LINK.sub(r"\1", _UUID.sub("", html)))


def _one_result(judgement: Judgement, title: str, judged_at: datetime) -> "ExpectationSuiteValidationResult":
    """The results of all batches as one, which is what one page shows."""
    from great_expectations.core.expectation_validation_result import (  # noqa: PLC0415  takes 7 seconds
        ExpectationSuiteValidationResult,
    )
    from great_expectations.core.run_identifier import RunIdentifier  # noqa: PLC0415  likewise

    results = [one for result in judgement.results for one in result.results]
    passed = sum(bool(one.success) for one in results)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name=title,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results) if results else None,
        },
        meta={
            "run_id": RunIdentifier(run_name=title, run_time=judged_at),
            "great_expectations_version": version("great_expectations"),
            "batch_spec": {"data_asset_name": title},
        },
    )
