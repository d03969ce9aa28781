"""Rules about a day as a whole: its volume, its punctuality, its books."""

from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.rule import Batch, Expected, Rule
from symbiosys_pipeline.quality.verdict import Severity


def day_rules(dataset: Dataset) -> tuple[Rule, ...]:
    """Volume, timeliness and books of one dataset's day (CONTRACT 6, 8)."""
    return (_volume(dataset), _timeliness(dataset), _books(dataset))


def _volume_not_judged(profile: ClientProfile, _day: date, facts: DayFacts) -> str | None:
    needed = profile.thresholds.volume_history_days
    if facts.history_days < needed:
        return f"{facts.history_days} past days, {needed} needed"
    if facts.volume_distance is None:
        return "the past days hold no rows to compare with"
    return None


def _volume(dataset: Dataset) -> Rule:
    return Rule(
        id="usual_volume",
        dataset=dataset,
        title="The day has about as many rows as the client's past same weekdays",
        reason="Half a day's rows pass every rule about single rows.",
        source="CONTRACT 6",
        severity=Severity.WARNING,
        batch=Batch.FACTS,
        counted="days",
        remedy="Compare with the shop's own numbers; deliver the missing files, or confirm the change.",
        expected=lambda profile: Expected(
            "ExpectColumnValuesToBeBetween",
            {"column": "volume_distance", "min_value": 0, "max_value": profile.thresholds.volume_change},
        ),
        not_judged=_volume_not_judged,
        describe=lambda profile, facts: (
            f"{facts.published:,} rows, median of the past {facts.history_median or 0:,.0f}: "
            f"{facts.volume_distance or 0:.1%} away, at most {profile.thresholds.volume_change:.0%} allowed"
        ),
    )


def _timeliness_not_judged(profile: ClientProfile, day: date, facts: DayFacts) -> str | None:
    if profile.live_from is None:
        return "the client is not live yet"
    if day < profile.live_from:
        return f"the client is live from {profile.live_from}"
    if facts.hours_late is None:
        return "no arrival to compare with a due time"
    return None


def _timeliness(dataset: Dataset) -> Rule:
    return Rule(
        id="timely_delivery",
        dataset=dataset,
        title="The day's deliveries arrived by their due time",
        reason="A late day is missing from every report made in the meantime.",
        source="CONTRACT 3, 6",
        severity=Severity.WARNING,
        batch=Batch.FACTS,
        counted="days",
        remedy="Move the client's export earlier, or agree on a later due time in the profile.",
        expected=lambda _: Expected(
            "ExpectColumnValuesToBeBetween", {"column": "hours_late", "max_value": 0}
        ),
        not_judged=_timeliness_not_judged,
        describe=lambda _, facts: (
            f"{facts.hours_late:.1f} hours after the due time" if (facts.hours_late or 0) > 0 else "on time"
        ),
    )


def _books(dataset: Dataset) -> Rule:
    return Rule(
        id="books_balance",
        dataset=dataset,
        title="Every row received is published, a duplicate, quarantined or superseded",
        reason="A row that is nowhere was lost; one that is twice was invented.",
        source="CONTRACT 8",
        severity=Severity.CRITICAL,
        batch=Batch.FACTS,
        counted="days",
        remedy="This is the pipeline's own bookkeeping: rebuild the day, and report it if it stays.",
        expected=lambda _: Expected(
            "ExpectColumnPairValuesToBeEqual", {"column_A": "received", "column_B": "accounted"}
        ),
        describe=lambda _, facts: (
            f"{facts.received:,} received; {facts.published:,} published + {facts.duplicates:,} duplicates + "
            f"{facts.quarantined:,} quarantined + {facts.superseded:,} superseded = {facts.accounted:,}"
        ),
    )
