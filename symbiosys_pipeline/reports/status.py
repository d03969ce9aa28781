"""Per client and day: what arrived, and what readers see. Derived from the ledger on call, never stored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.quality.verdict import Severity, Verdict
from symbiosys_pipeline.steps.deliver import loses_too_many_rows
from symbiosys_pipeline.steps.judge import due_at
from symbiosys_pipeline.steps.reconcile import LedgerView
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState, Layer


class Arrival(StrEnum):
    """How a delivery day of one dataset stands."""

    ARRIVED = "arrived"
    LATE = "late"
    EMPTY = "empty"
    REFUSED = "refused"
    WAITING = "waiting"
    MISSING = "missing"
    NOT_DUE = "not due"


class Readiness(StrEnum):
    """How an event day stands."""

    PUBLISHED = "published"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STALE = "stale"
    NO_ROWS = "no rows"


@dataclass(frozen=True)
class DayStatus:
    """One day of one client.

    Attributes:
        day: The day, read as delivery day for `arrival` and as event day for the rest.
        arrival: Per dataset.
        quarantined: Refused rows of the day's live deliveries, both datasets.
        readiness: What readers of the event tables see.
        rows: Rows per event table in place.
        why: What a person should know: refusals, failed rules, the reason a day is stale.
    """

    day: date
    arrival: dict[Dataset, Arrival]
    quarantined: int
    readiness: Readiness
    rows: dict[str, int]
    why: tuple[str, ...]


def client_status(
    deployment: Deployment, profile: ClientProfile, *, now: datetime | None = None
) -> list[DayStatus]:
    """Every day from the client's start to today, oldest first."""
    present = now or datetime.now(UTC)
    today = present.astimezone(ZoneInfo(profile.time_zone)).date()
    view = LedgerView.of(deployment, profile)
    deliveries: dict[tuple[Dataset, date], list[Delivery]] = {}
    quarantined: Counter[date] = Counter()
    for dataset in Dataset:
        for delivery in deployment.ledger.deliveries.current(profile.client, dataset):
            deliveries.setdefault((dataset, delivery.delivery_day), []).append(delivery)
        for delivery in deployment.ledger.deliveries.live(profile.client, dataset):
            quarantined[delivery.delivery_day] += delivery.rows_quarantined or 0
    last = max([today, *view.days()])
    length = (last - profile.start_date).days + 1
    days = [profile.start_date + timedelta(days=number) for number in range(max(length, 0))]
    return [_day(view, deliveries, quarantined, day, present) for day in days]


def _day(
    view: LedgerView,
    deliveries: dict[tuple[Dataset, date], list[Delivery]],
    quarantined: Counter[date],
    day: date,
    now: datetime,
) -> DayStatus:
    of_day = {dataset: deliveries.get((dataset, day), []) for dataset in Dataset}
    refused = [item for found in of_day.values() for item in found if item.state is DeliveryState.REFUSED]
    why = [f"{item.source_key}: {item.reason_code}" for item in refused]
    why += [
        f"{item.source_key}: {item.rows_quarantined:,} of {item.rows_received:,} rows quarantined"
        for found in of_day.values()
        for item in found
        if loses_too_many_rows(view.profile, item)
    ]
    readiness, reasons = _readiness(view, day)
    events = view.publications.get((Layer.EVENTS, day))
    return DayStatus(
        day=day,
        arrival={
            dataset: _arrival(view.profile, dataset, day, found, now) for dataset, found in of_day.items()
        },
        quarantined=quarantined[day],
        readiness=readiness,
        rows=dict(events.counts) if events else {},
        why=(*why, *reasons),
    )


def _arrival(
    profile: ClientProfile, dataset: Dataset, day: date, deliveries: Sequence[Delivery], now: datetime
) -> Arrival:
    due = due_at(profile, dataset, day)
    if not deliveries:
        return Arrival.MISSING if now >= due else Arrival.NOT_DUE
    read = [item for item in deliveries if item.state is DeliveryState.STANDARDIZED]
    if any(item.state is DeliveryState.REFUSED for item in deliveries):
        return Arrival.REFUSED
    if len(read) < len(deliveries):
        return Arrival.WAITING
    if not any(item.rows_received for item in read):
        return Arrival.EMPTY
    judged = profile.live_from is not None and day >= profile.live_from
    first = min(item.first_seen_at for item in read).replace(tzinfo=UTC)
    return Arrival.LATE if judged and first > due else Arrival.ARRIVED


def _readiness(view: LedgerView, day: date) -> tuple[Readiness, list[str]]:
    if (stale := view.stale(day)) is not None:
        failed = f", {stale.attempts} failed attempts" if stale.attempts else ""
        return Readiness.STALE, [f"{stale.why}{failed}"]
    if rejected := view.rejected(day):
        return Readiness.REJECTED, [
            f"{item.dataset}: {', '.join(failed_rules(item.verdict))}" for item in rejected
        ]
    verdicts = [view.verdict(dataset, day) for dataset in Dataset]
    accepted = [item for item in verdicts if item is not None and item.accepted_by]
    if accepted:
        return Readiness.ACCEPTED, [
            f"accepted by {item.accepted_by}: {item.accept_reason}" for item in accepted
        ]
    if (Layer.EVENTS, day) in view.publications:
        return Readiness.PUBLISHED, []
    return Readiness.NO_ROWS, []


def failed_rules(verdict: str) -> list[str]:
    """The names of the rules of a stored verdict that keep its day from being published."""
    return [
        outcome.rule_id
        for outcome in Verdict.from_json(verdict).failed()
        if outcome.severity is Severity.CRITICAL
    ]


def status_markdown(days: Sequence[DayStatus], *, last: int = 14) -> str:
    """The last days as a Markdown table."""
    lines = ["| day | page views | orders | quarantined | events | why |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {item.day} | {item.arrival[Dataset.PAGE_VIEWS]} | {item.arrival[Dataset.ORDERS]} "
        f"| {item.quarantined} | {item.readiness} | {'; '.join(item.why)} |"
        for item in days[-last:]
    ]
    return "\n".join(lines)
