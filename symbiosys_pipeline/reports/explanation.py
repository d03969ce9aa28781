"""Why one event day is as it is: its deliveries, refusals, duplicates, checks and publication."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.steps.reconcile import LedgerView, StaleDay
from symbiosys_pipeline.storage.delivery_ledger import Received
from symbiosys_pipeline.storage.ledger_tables import (
    Delivery,
    DeliveryState,
    Layer,
    Publication,
    StoredVerdict,
)


@dataclass(frozen=True)
class DatasetExplanation:
    """One dataset of one event day.

    Attributes:
        contributions: Every delivery that ever brought rows, in the order observed.
        refused: The current deliveries of this delivery day that cannot be read.
        quarantine: Refused rows of live deliveries by `field: reason`.
        staged: The staged version.
        verdict: What the checks said of it.
        stored: The verdict as recorded, with a person's acceptance.
    """

    contributions: tuple[Received, ...]
    refused: tuple[Delivery, ...]
    quarantine: dict[str, int]
    staged: Publication | None
    verdict: Verdict | None
    stored: StoredVerdict | None


@dataclass(frozen=True)
class Explanation:
    """One event day of one client."""

    client: str
    event_day: date
    datasets: dict[Dataset, DatasetExplanation]
    events: Publication | None
    stale: StaleDay | None


def explain(deployment: Deployment, profile: ClientProfile, event_day: date) -> Explanation:
    """Everything the ledger and the quarantine know about one event day."""
    view = LedgerView.of(deployment, profile)
    return Explanation(
        client=profile.client,
        event_day=event_day,
        datasets={dataset: _dataset(deployment, view, dataset, event_day) for dataset in Dataset},
        events=view.publications.get((Layer.EVENTS, event_day)),
        stale=view.stale(event_day),
    )


def _dataset(
    deployment: Deployment, view: LedgerView, dataset: Dataset, event_day: date
) -> DatasetExplanation:
    ledger = deployment.ledger.deliveries
    client = view.profile.client
    contributions = ledger.received(client, dataset, event_day)
    refused = [
        item for item in ledger.current(client, dataset, event_day) if item.state is DeliveryState.REFUSED
    ]
    stored = view.verdict(dataset, event_day)
    return DatasetExplanation(
        contributions=tuple(contributions),
        refused=tuple(refused),
        quarantine=_quarantine(deployment, [item.delivery for item in contributions if item.live], event_day),
        staged=view.staged(dataset, event_day),
        verdict=Verdict.from_json(stored.verdict) if stored else None,
        stored=stored,
    )


def _quarantine(deployment: Deployment, deliveries: list[Delivery], event_day: date) -> dict[str, int]:
    found: Counter[str] = Counter()
    for key in sorted({item.quarantine_key for item in deliveries if item.quarantine_key is not None}):
        rows = pl.scan_parquet(deployment.lake.uri(key)).filter(pl.col("event_day") == event_day)
        counted = rows.group_by("field", "reason").len().collect()
        for field, reason, count in counted.iter_rows():
            found[f"{field or 'record'}: {reason}"] += count
    return dict(sorted(found.items()))
