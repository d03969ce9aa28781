"""Laws of the whole pipeline: whatever arrived in any order, the tables are those of one full rebuild."""

import tempfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import Table
from symbiosys_pipeline.storage.layout import staging_partition
from symbiosys_pipeline.storage.ledger_tables import UNPLACED, DeliveryState, Layer
from symbiosys_pipeline_tests.pipeline.clients import RunningClient, assert_same_tables
from symbiosys_pipeline_tests.pipeline.histories import Content, Delivered, History, histories

_PUBLISHED = {Dataset.PAGE_VIEWS: Table.PAGE_VIEWS, Dataset.ORDERS: Table.ORDER_LINES}


class Shop:
    """What a client did, as the test itself remembers it."""

    def __init__(self, client: RunningClient) -> None:
        self.client = client
        self.present: dict[str, Content] = {}
        self.readable: dict[str, Content] = {}
        self.times: dict[tuple[str, bytes], datetime] = {}

    def put(self, delivered: Delivered) -> None:
        content = delivered.content
        known = self.times.get((content.key, content.text))
        at = self.client.put(
            content.key, content.text, modified=known if known and delivered.restores_time else None
        )
        self.times[content.key, content.text] = at
        self.present[content.key] = content

    def run(self) -> None:
        # Only what a run found was ever delivered: a version replaced between two runs was never seen.
        self.readable |= {
            key: content for key, content in self.present.items() if content.records is not None
        }
        ran = self.client.run()
        for delivery in ran.read:
            content = self.present[delivery.source_key]
            assert delivery.rows_received == content.records
            refused = delivery.state is DeliveryState.REFUSED
            assert refused is (content.records is None)


def play(client: RunningClient, history: History) -> Shop:
    shop = Shop(client)
    for step in history.steps:
        if isinstance(step, Delivered):
            shop.put(step)
        else:
            shop.run()
    return shop


def rows_of(client: RunningClient, keys: Iterable[str | None]) -> pl.DataFrame | None:
    found = [pl.read_parquet(client.deployment.lake.uri(key)) for key in sorted({k for k in keys if k})]
    return pl.concat(found) if found else None


def assert_deliveries_balance(client: RunningClient) -> None:
    """Received = sound + quarantined, each record in one of the two: in the counts and in the files."""
    ledger = client.deployment.ledger.deliveries
    for delivery in ledger.of_client("acme"):
        if delivery.state is not DeliveryState.STANDARDIZED:
            continue
        slices = ledger.slices_of(delivery.content_id)
        sound = rows_of(client, (part.key for part in slices))
        refused = rows_of(client, [delivery.quarantine_key])
        kept = set(sound["row_number"]) if sound is not None else set[int]()
        left = set(refused["row_number"]) if refused is not None else set[int]()
        assert delivery.rows_received is not None
        assert not kept & left
        assert kept | left == set(range(1, delivery.rows_received + 1))
        assert (delivery.rows_valid, delivery.rows_quarantined) == (len(kept), len(left))
        assert sum(part.rows for part in slices) == (0 if sound is None else sound.height)
        assert sum(part.quarantined for part in slices) == (0 if refused is None else refused.height)


def assert_days_balance(client: RunningClient) -> None:
    """Received = published + duplicates + quarantined + superseded, on every event day of either dataset."""
    deployment, view = client.deployment, client.ledger_view()
    for (dataset, day), live in view.live.items():
        received = sum(
            part.rows + part.quarantined
            for delivery in deployment.ledger.deliveries.of_client("acme", dataset)
            if delivery.state is DeliveryState.STANDARDIZED
            for part in deployment.ledger.deliveries.slices_of(delivery.content_id)
            if part.event_day == day
        )
        refused = rows_of(client, (part.quarantine_key for part in live))
        quarantined = 0 if refused is None else refused.filter(pl.col("event_day") == day).height
        account = deployment.ledger.deliveries.account("acme", dataset, day)
        duplicates = client.publication(Layer.staging(dataset), day).counts["duplicates"]
        published = client.partition(_PUBLISHED[dataset], day).height
        staged = pl.read_parquet(deployment.lake.uri(staging_partition(dataset, "acme", day)))
        assert published == staged.height
        assert received == published + duplicates + quarantined + account.superseded
    assert all(day != UNPLACED for _, day in view.live)


def assert_views_are_distinct(client: RunningClient) -> None:
    """De-duplication, looked at again: no event id, and no content without one, is there twice a day."""
    views = client.table(Table.PAGE_VIEWS)
    with_id, without = (
        views.filter(pl.col("event_id").is_not_null()),
        views.filter(pl.col("event_id").is_null()),
    )
    assert not with_id.select("event_day", "event_id").is_duplicated().any()
    # A derived session follows from visitor and time; one given by the client tells two views apart.
    content = ["event_ts", "visitor_id", "page_url", "session_id", "session_source"]
    assert not without.select(content).is_duplicated().any()


def published_days(client: RunningClient) -> list[date]:
    views = client.table(Table.PAGE_VIEWS)["event_day"].unique().to_list()
    return sorted({*views, *client.table(Table.ORDERS)["event_day"].to_list()})


# No shrinking: a failing example takes seconds to repeat, and CI has minutes.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=histories())
def test_incremental_equals_one_full_rebuild_and_the_books_balance(history: History) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client = RunningClient(Path(folder) / "incremental", history.attributes)
        shop = play(client, history)
        assert_deliveries_balance(client)
        assert_days_balance(client)
        full = RunningClient(Path(folder) / "full", history.attributes)
        for content in shop.readable.values():
            full.put(content.key, content.text)
        full.run()
        if not client.files():
            assert not full.files()
            return
        if not full.files():
            assert published_days(client) == []
            return
        assert_same_tables(client, full)
        assert_views_are_distinct(client)
        assert_days_balance(full)
        assert client.run().visited == 0
