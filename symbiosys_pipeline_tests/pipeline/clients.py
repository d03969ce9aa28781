"""A client that really runs: its files in a folder, the pipeline's steps over them, its published tables.

The steps are those of the assets, called without Dagster: discover, deliver, rebuild, until nothing is stale.
"""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.settings import Settings
from symbiosys_pipeline.steps.deliver import deliver, is_pending
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline.steps.judge import keep_verdict
from symbiosys_pipeline.steps.rebuild import DayResult, rebuild_day
from symbiosys_pipeline.steps.reconcile import LedgerView, days_to_rebuild
from symbiosys_pipeline.steps.stage import stage_day
from symbiosys_pipeline.storage.layout import events_partition
from symbiosys_pipeline.storage.ledger_tables import Delivery, Layer, Publication, StoredVerdict

SHARED = Path(__file__).resolve().parents[2] / "../shared"
D1, D2, D3 = (date(2026, 3, 2) + timedelta(days=number) for number in range(3))
_FIRST_MODIFIED = datetime(2026, 4, 1, tzinfo=UTC)
_MOST_PASSES = 5
#: Where a row came from: equal rows of different lakes differ in it.
_ORIGIN = ("delivery_id", "row_number")


def written(**changes: Any) -> dict[str, Any]:
    """What a person wrote for a client with daily CSV files and ISO 8601 times."""
    times = {"timestamp": {"format": "iso8601"}}
    source = {"location": "source", **times}
    return {
        "client": "acme",
        "start_date": "2026-03-01",
        "currency": "EUR",
        "owners": ["team:web"],
        "page_views": {"sources": [{**source, "pattern": "visits/v_{YYYYMMDD}.csv"}]},
        "orders": {
            "sources": [{**source, "pattern": "orders/o_{YYYYMMDD}.csv"}],
            "discount_meaning": "net_price",
        },
        **changes,
    }


def visits_key(day: date) -> str:
    """The name of a delivery day's page view file."""
    return f"visits/v_{day:%Y%m%d}.csv"


def orders_key(day: date) -> str:
    """The name of a delivery day's order file."""
    return f"orders/o_{day:%Y%m%d}.csv"


def csv_bytes(header: Sequence[str], records: Iterable[Sequence[str]]) -> bytes:
    """A CSV file; a record may have more or fewer fields than the header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *records])
    return text.getvalue().encode()


VISITS_HEADER = ("event_ts", "visitor_id", "page_url")
ORDERS_HEADER = (
    "order_id",
    "event_ts",
    "visitor_id",
    "product_id",
    "quantity",
    "regular_unit_price",
    "discount_unit_price",
)


def view(at: str, visitor: str, page: str) -> tuple[str, str, str]:
    """One page view of `VISITS_HEADER`; `at` such as 2026-03-02T10:00:00Z."""
    return (at, visitor, f"https://acme.example/{page}")


def order(order_id: str, at: str, visitor: str, price: str = "10.00") -> tuple[str, ...]:
    """One order of one line of `ORDERS_HEADER`."""
    return (order_id, at, visitor, "p1", "1", price, "")


@dataclass(frozen=True)
class Ran:
    """What one run did: the deliveries it read, and the days it rebuilt, last result of each."""

    read: tuple[Delivery, ...]
    results: dict[date, DayResult]
    changed: tuple[date, ...]
    visited: int


class RunningClient:
    """One client in a lake of its own.

    With `judged=False` staged days get an accepted verdict without running the rules: what a law says about
    rows does not depend on Great Expectations, which costs more than all other steps together.
    """

    def __init__(self, home: Path, attributes: Mapping[str, Any], *, judged: bool = False) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "source").mkdir(exist_ok=True)
        self.home = home
        self.source = home / "source"
        self.judged = judged
        self.deployment = Deployment.open(Settings.at(home, clients=home / "clients"))
        self.profile = ClientProfile.model_validate(dict(attributes))
        self._moments = count()

    def put(self, key: str, content: bytes, *, modified: datetime | None = None) -> datetime:
        """Write a file as the client would; returns its time, later than that of any file before."""
        at = modified or _FIRST_MODIFIED + timedelta(seconds=next(self._moments))
        path = self.source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return at

    def put_views(self, day: date, *views: Sequence[str], header: Sequence[str] = VISITS_HEADER) -> datetime:
        """Write a delivery day's page view file."""
        return self.put(visits_key(day), csv_bytes(header, views))

    def put_orders(self, day: date, *lines: Sequence[str]) -> datetime:
        """Write a delivery day's order file."""
        return self.put(orders_key(day), csv_bytes(ORDERS_HEADER, lines))

    def run(self) -> Ran:
        """Discover, deliver and rebuild until nothing is stale."""
        read = self.deliver()
        results: dict[date, DayResult] = {}
        changed: set[date] = set()
        visited = 0
        for _ in range(_MOST_PASSES):
            view = self.ledger_view()
            if not view.stale_days():
                return Ran(tuple(read), results, tuple(sorted(changed)), visited)
            for day in days_to_rebuild(view):
                result = self.rebuild(day)
                changed |= {day} if result.changed else set()
                results[day] = result
                visited += 1
        raise AssertionError(f"still stale: {self.ledger_view().stale_days()}")

    def deliver(self) -> list[Delivery]:
        """Land and read all that is new in the client's folder."""
        for dataset in Dataset:
            discover(self.deployment, self.profile, dataset)
        ledger = self.deployment.ledger.deliveries
        waiting = [
            delivery
            for dataset in Dataset
            for delivery in ledger.current(self.profile.client, dataset)
            if is_pending(self.profile, delivery)
        ]
        done = [deliver(self.deployment, self.profile, delivery) for delivery in waiting]
        return [delivery for delivery in done if delivery is not None]

    def rebuild(self, day: date, *, again: bool = False) -> DayResult:
        """Rebuild one event day."""
        if not self.judged:
            self._accept_unjudged(day)
        return rebuild_day(self.deployment, self.profile, day, again=again)

    def _accept_unjudged(self, day: date) -> None:
        view = self.ledger_view()
        for dataset in Dataset:
            if view.wanted(dataset, day) is None:
                continue
            version = stage_day(self.deployment, self.profile, dataset, day).publication.wanted
            assert version is not None
            known = self.deployment.ledger.publications.verdict(self.profile.client, dataset, day, version)
            if known is None:
                verdict = Verdict(self.profile.client, dataset, day, ()).to_json()
                now = datetime.now(UTC).replace(tzinfo=None)
                stored = StoredVerdict(self.profile.client, dataset, day, version, now, True, verdict)
                keep_verdict(self.deployment, stored)

    def ledger_view(self) -> LedgerView:
        """The client's ledger as it is now."""
        return LedgerView.of(self.deployment, self.profile)

    def publication(self, layer: Layer, day: date) -> Publication:
        """The version of a partition that readers see."""
        found = self.deployment.ledger.publications.get(self.profile.client, layer, day)
        assert found is not None
        return found

    def partition(self, table: Table, day: date) -> pl.DataFrame:
        """One published day of one table."""
        uri = self.deployment.lake.uri(events_partition(table, self.profile.client, day))
        return pl.read_parquet(uri, hive_partitioning=False)

    def table(self, table: Table) -> pl.DataFrame:
        """All published days of one table, in their order."""
        keys = self.deployment.lake.list(f"events/{table}/client={self.profile.client}", "data.parquet")
        parts = [pl.read_parquet(self.deployment.lake.uri(key), hive_partitioning=False) for key in keys]
        return pl.concat(parts)

    def files(self, *layers: str) -> dict[str, bytes]:
        """The bytes of every file of some layers of the lake."""
        lake = self.deployment.lake
        return {key: lake.read_bytes(key) for layer in layers or ("events",) for key in lake.list(layer)}


def assert_same_tables(one: RunningClient, other: RunningClient) -> None:
    """The same event tables, row for row, in the same order; origin columns aside."""
    for table in EVENT_TABLES:
        left, right = (client.table(table).drop(_ORIGIN, strict=False) for client in (one, other))
        assert_frame_equal(left, right, check_exact=True)
