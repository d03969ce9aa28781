"""A real retailer's month of file dumps: published exactly as its known truth, in any order of arrival."""

import gzip
import json
import random
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import Table
from symbiosys_pipeline.steps.publish import Outcome
from symbiosys_pipeline.storage.ledger_tables import PUBLICATIONS, DeliveryState
from symbiosys_pipeline_tests.pipeline.clients import SHARED, Ran, RunningClient, assert_same_tables

MONTH = SHARED / "data/thelook"
FILES = sorted(path.relative_to(MONTH).as_posix() for path in MONTH.rglob("*.csv.gz"))
EXPECTED: dict[str, Any] = json.loads((MONTH / "expected.json").read_text(), parse_float=Decimal)
BY_DAY = {date.fromisoformat(day): counts for day, counts in EXPECTED["by_event_day_utc"].items()}


def thelook() -> dict[str, Any]:
    source = {"location": "source", "timestamp": {"format": "iso8601"}}
    return {
        "client": "thelook",
        "start_date": "2026-10-01",
        "currency": "USD",
        "owners": ["team:retail"],
        "page_views": {
            "sources": [
                {
                    **source,
                    "pattern": "visits/thelook_visits_{YYYYMMDD}.csv.gz",
                    "mapping": {"event_ts": "event_time", "category_id": "category"},
                }
            ]
        },
        "orders": {
            "sources": [
                {
                    **source,
                    "pattern": "orders/thelook_orders_{YYYYMMDD}.csv.gz",
                    "mapping": {"event_ts": "order_time"},
                }
            ],
            "discount_meaning": "net_price",
            "cancelled_statuses": ["Cancelled"],
            "returned_statuses": ["Returned"],
        },
    }


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningClient, Ran]]:
    """The whole month delivered at once, every day judged by every rule."""
    client = RunningClient(tmp_path_factory.mktemp("month"), thelook(), judged=True)
    for key in FILES:
        client.put(key, (MONTH / key).read_bytes())
    yield client, client.run()
    shutil.rmtree(client.home)


def counted(client: RunningClient, day: date) -> dict[str, Any]:
    views = client.partition(Table.PAGE_VIEWS, day)
    orders = client.partition(Table.ORDERS, day)
    return {
        "page_views": views.height,
        "visitors": views["visitor_id"].n_unique(),
        "sessions": client.partition(Table.SESSIONS, day).height,
        "order_lines": client.partition(Table.ORDER_LINES, day).height,
        "orders": orders.height,
        "revenue": orders["revenue"].sum(),
    }


def test_every_day_and_the_month_are_the_known_truth(month: tuple[RunningClient, Ran]) -> None:
    client, ran = month
    assert len(FILES) == 62
    assert ran.changed == tuple(BY_DAY)
    for day, expected in BY_DAY.items():
        assert counted(client, day) == expected, day
        assert ran.results[day].published.outcome is Outcome.PUBLISHED
        for judged in ran.results[day].judged.values():
            assert judged.verdict.outcomes
            assert judged.verdict.accepted
    total = EXPECTED["total"]
    views, orders = client.table(Table.PAGE_VIEWS), client.table(Table.ORDERS)
    lines, sessions = client.table(Table.ORDER_LINES), client.table(Table.SESSIONS)
    assert views.height == total["page_views"]
    assert views["visitor_id"].n_unique() == total["visitors"]
    # A session over midnight has a row on either day.
    assert sessions.select("visitor_id", "session_id").n_unique() == total["sessions"]
    assert sessions.height == sum(expected["sessions"] for expected in BY_DAY.values())
    assert (orders.height, lines.height) == (total["orders"], total["order_lines"])
    assert orders["revenue"].sum() == lines["revenue"].sum() == total["revenue"]
    days_of_order = lines.group_by("order_id").agg(pl.col("event_day").n_unique())["event_day"]
    assert (days_of_order > 1).sum() == total["orders_with_lines_on_more_than_one_day"]


def test_nothing_is_refused_and_every_delivered_record_is_published(month: tuple[RunningClient, Ran]) -> None:
    client, _ = month
    published = {
        Dataset.PAGE_VIEWS: client.table(Table.PAGE_VIEWS),
        Dataset.ORDERS: client.table(Table.ORDER_LINES),
    }
    for dataset, rows in published.items():
        deliveries = client.deployment.ledger.deliveries.of_client("thelook", dataset)
        assert len(deliveries) == 31
        published_rows = dict(rows.group_by("delivery_id").len().iter_rows())
        for delivery in deliveries:
            text = gzip.decompress((MONTH / delivery.source_key).read_bytes()).decode()
            records = len(text.splitlines()) - 1
            assert delivery.state is DeliveryState.STANDARDIZED
            assert delivery.quarantine_key is None
            assert (delivery.rows_received, delivery.rows_valid, delivery.rows_quarantined) == (
                records,
                records,
                0,
            )
            assert published_rows[delivery.delivery_id] == records
        assert not rows.select("delivery_id", "row_number").is_duplicated().any()


def test_the_same_deliveries_in_the_same_lake_give_the_same_bytes(month: tuple[RunningClient, Ran]) -> None:
    client, _ = month
    before = client.files("staging", "events")
    for layer in ("staging", "events", "publications"):
        shutil.rmtree(client.deployment.lake.root / layer)
    with client.deployment.ledger.writing() as connection:
        connection.execute(sa.delete(PUBLICATIONS))
    assert client.run().changed == tuple(BY_DAY)
    assert client.files("staging", "events") == before


def test_files_in_any_order_with_a_run_between_any_two_give_the_same_tables(
    month: tuple[RunningClient, Ran], tmp_path: Path
) -> None:
    shuffled = RunningClient(tmp_path, thelook())
    order = list(FILES)
    random.Random(20261001).shuffle(order)  # noqa: S311  an order to repeat, no secret
    for key in order:
        shuffled.put(key, (MONTH / key).read_bytes())
        assert len(shuffled.run().read) == 1
    assert_same_tables(shuffled, month[0])
