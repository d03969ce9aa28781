"""What a quality rule is. The rules themselves are in `row_rules`, `order_rules` and `day_rules`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile, Thresholds
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.verdict import Severity


class Batch(StrEnum):
    """Which table a rule looks at; the value is the table's name inside DuckDB.

    Attributes:
        ROWS: The judged columns of the staged day, and a true/false/null column per rule that has a `flag`.
        RECEIVED: Which required and expected fields each received row carries: staged rows and the day's
            quarantined ones.
        FACTS: One row about the day as a whole.
    """

    ROWS = "batch_rows"
    RECEIVED = "batch_received"
    FACTS = "batch_facts"


@dataclass(frozen=True)
class Expected:
    """A Great Expectations expectation, named but not built: building imports Great Expectations.

    Attributes:
        expectation: Class name in `great_expectations.expectations`.
        arguments: Its arguments, without `mostly`.
    """

    expectation: str
    arguments: Mapping[str, object]

    def columns(self) -> tuple[str, ...]:
        """The columns of the batch it looks at."""
        listed = self.arguments.get("column_list", ())
        single = [self.arguments.get(key) for key in ("column", "column_A", "column_B")]
        several = cast(Sequence[str], listed)
        return (*several, *(name for name in single if isinstance(name, str)))


def every_one(_: Thresholds) -> float:
    """The share of a rule that allows no exception."""
    return 1.0


def valid_share(thresholds: Thresholds) -> float:
    """The client's least share of rows in the right format."""
    return thresholds.valid_share


def always_judged(_profile: ClientProfile, _day: date, _facts: DayFacts) -> str | None:
    """The `not_judged` of a rule that needs nothing but the day's rows."""
    return None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One entry of the catalogue.

    Attributes:
        id: Letters, digits and underscores: also the name of its asset check.
        dataset: Which dataset it judges.
        title: The rule in one sentence.
        reason: Why it matters.
        source: Where the rule comes from.
        severity: What a failure means.
        batch: Which table it looks at.
        counted: What is counted, in the plural, for people.
        remedy: What the client's engineer can do when it fails.
        expected: The expectation, from the client's profile.
        least_share: The share that must be right, from the client's thresholds.
        failing: SQL predicate over the batch that is true for a failing row; None where rows have no part.
        flag: SQL over the staged rows: true right, false wrong, null not judged. It becomes a column named
            after the rule.
        not_judged: Why the rule does not judge this day, or None where it does.
        describe: Numbers found and needed, for a rule about the day as a whole.
    """

    id: str
    dataset: Dataset
    title: str
    reason: str
    source: str
    severity: Severity
    batch: Batch
    counted: str
    remedy: str
    expected: Callable[[ClientProfile], Expected]
    least_share: Callable[[Thresholds], float] = every_one
    failing: str | None = None
    flag: Callable[[ClientProfile], str] | None = None
    not_judged: Callable[[ClientProfile, date, DayFacts], str | None] = always_judged
    describe: Callable[[ClientProfile, DayFacts], str] | None = None
