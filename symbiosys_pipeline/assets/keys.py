"""Asset keys, groups and tags: the names a person sees in the Dagster UI. Nothing is defined here."""

import dagster as dg

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, Table

#: Run tag: which client a run works for; the queue limits runs by it.
CLIENT_TAG = "symbiosys/client"
#: Run tag: `deliveries` or `event_days`.
AXIS_TAG = "symbiosys/axis"
#: Run tag: `stale` does only what the ledger wants. Runs without it, started by a person, do all again.
SCOPE_TAG = "symbiosys/scope"
SCOPE_STALE = "stale"


def landing_key(client: str, dataset: Dataset) -> dg.AssetKey:
    """Raw bytes as delivered."""
    return dg.AssetKey([client, "landing", str(dataset)])


def standardized_key(client: str, dataset: Dataset) -> dg.AssetKey:
    """Typed slices per delivery and event day."""
    return dg.AssetKey([client, "standardized", str(dataset)])


def quarantine_key(client: str, dataset: Dataset) -> dg.AssetKey:
    """Refused rows with their reasons."""
    return dg.AssetKey([client, "quarantine", str(dataset)])


def staging_key(client: str, dataset: Dataset) -> dg.AssetKey:
    """The day's live rows, de-duplicated."""
    return dg.AssetKey([client, "staging", str(dataset)])


def events_key(client: str, table: Table) -> dg.AssetKey:
    """The attribution-ready tables."""
    return dg.AssetKey([client, "events", str(table)])


def delivery_keys(client: str) -> list[dg.AssetKey]:
    """Every asset of the delivery-day axis."""
    return [
        make(client, dataset)
        for make in (landing_key, standardized_key, quarantine_key)
        for dataset in Dataset
    ]


def event_day_keys(client: str) -> list[dg.AssetKey]:
    """Every asset of the event-day axis."""
    return [staging_key(client, dataset) for dataset in Dataset] + [
        events_key(client, table) for table in EVENT_TABLES
    ]
