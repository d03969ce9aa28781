"""What a validation found: one outcome per rule and the verdict on a client's day. Nothing is judged here.

No outcome holds a field's value: counts, thresholds and the origin of failing rows only.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import TypeAdapter

from symbiosys_pipeline.contracts.columns import Dataset

#: How many failing rows an outcome names.
MOST_SAMPLES = 5


class Severity(StrEnum):
    """What a failed rule means: a critical one keeps the day from being published."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class RowRef:
    """Where a row came from: enough to find it in the delivered file, nothing of what it says.

    Attributes:
        delivery_id: 16 hex digits.
        row_number: 1-based ordinal of the record in the delivered file.
    """

    delivery_id: str
    row_number: int


@dataclass(frozen=True)
class RuleOutcome:
    """What one rule found on one day.

    Attributes:
        rule_id: The rule's id, which is also the name of its asset check.
        title: The rule in one sentence.
        severity: What a failure means.
        passed: None where the rule could not run: neither a pass nor a failure.
        checked: Rows, orders or values judged.
        unexpected: How many of them are wrong.
        observed: Numbers found and needed, in words.
        remedy: What the client's engineer can do.
        samples: The first failing rows by delivery and row number, at most `MOST_SAMPLES`.
        error: Why the rule could not run.
    """

    rule_id: str
    title: str
    severity: Severity
    passed: bool | None
    checked: int
    unexpected: int
    observed: str
    remedy: str
    samples: tuple[RowRef, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether one client's day of one dataset may be published.

    Attributes:
        client: The client's short name.
        dataset: Which of its datasets.
        event_day: The client-local event day.
        outcomes: One per rule of the dataset's catalogue, in its order.
    """

    client: str
    dataset: Dataset
    event_day: date
    outcomes: tuple[RuleOutcome, ...]

    @property
    def accepted(self) -> bool:
        """No critical rule failed and every rule ran."""
        return not self.errored and not any(
            outcome.severity is Severity.CRITICAL for outcome in self.failed()
        )

    @property
    def errored(self) -> bool:
        """Some rule could not run, so nothing is known about what it guards."""
        return any(outcome.passed is None for outcome in self.outcomes)

    def failed(self) -> tuple[RuleOutcome, ...]:
        """The rules the day broke, critical ones first; a rule that could not run is not among them."""
        broken = [outcome for outcome in self.outcomes if outcome.passed is False]
        return tuple(sorted(broken, key=lambda outcome: outcome.severity is not Severity.CRITICAL))

    def to_json(self) -> str:
        """The whole verdict as JSON text; `from_json` gives the same verdict back."""
        return TypeAdapter(Verdict).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """The verdict of a `to_json` text; `pydantic.ValidationError` for any other text."""
        return TypeAdapter(Verdict).validate_json(text)

    def summary_markdown(self) -> str:
        """The verdict as Markdown: a headline, a table with one line per rule, remedies of what failed."""
        lines = [
            f"**{self.client} {self.dataset} {self.event_day}: {self._headline()}**",
            "",
            "| | rule | severity | observed |",
            "| --- | --- | --- | --- |",
            *(_table_line(outcome) for outcome in self.outcomes),
        ]
        wrong = [outcome for outcome in self.outcomes if not outcome.passed]
        if wrong:
            lines += ["", "What to do:", ""]
            lines += [f"* `{outcome.rule_id}`: {outcome.remedy}{_origin(outcome)}" for outcome in wrong]
        return "\n".join(lines) + "\n"

    def _headline(self) -> str:
        errors = sum(outcome.passed is None for outcome in self.outcomes)
        failed = self.failed()
        critical = sum(outcome.severity is Severity.CRITICAL for outcome in failed)
        counts = (
            f"{len(self.outcomes)} rules, {critical} critical and {len(failed) - critical} warning failed, "
            f"{errors} could not run"
        )
        return f"{'accepted' if self.accepted else 'rejected'} ({counts})"


def _table_line(outcome: RuleOutcome) -> str:
    mark = {True: "pass", False: "**FAIL**", None: "**ERROR**"}[outcome.passed]
    cells = (mark, outcome.title, outcome.severity.value, outcome.error or outcome.observed)
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    """Text that stays within one cell of one table line."""
    return " ".join(text.replace("|", "\\|").split())


def _origin(outcome: RuleOutcome) -> str:
    if not outcome.samples:
        return ""
    rows = ", ".join(f"{sample.delivery_id}:{sample.row_number}" for sample in outcome.samples)
    return f" First rows (delivery:row): {rows}."
