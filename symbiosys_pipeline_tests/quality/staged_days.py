"""Small staged days for the tests of this room: a right row of each dataset, a day of changed copies."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.runner import Judgement, judge
from symbiosys_pipeline.transforms.quarantine import QUARANTINE_SCHEMA

DAY = date(2026, 11, 1)
DELIVERY = "0123456789abcdef"
HASH = "0a" * 32

Row = Mapping[str, Any]


def client(**changes: Any) -> ClientProfile:
    """A live client whose discount is a net price; `orders` and `thresholds` may be given in part."""
    source = {"location": "/bucket", "pattern": "acme_{YYYYMMDD}.csv"}
    orders = {"sources": [source], "discount_meaning": "net_price", **changes.pop("orders", {})}
    written = {
        "client": "acme",
        "start_date": date(2026, 1, 1),
        "live_from": date(2026, 2, 1),
        "currency": "EUR",
        "owners": ["team:growth"],
        "page_views": {"sources": [source]},
        **changes,
        "orders": orders,
    }
    return ClientProfile.model_validate(written)


_EVENT: Row = {
    "event_ts": datetime(2026, 11, 1, 12, tzinfo=UTC),
    "visitor_id": "v1",
    "session_id": "s1",
    "crm_id": "c1",
    "page_url": "https://shop.example/p?gclid=1",
    "hashed_email": HASH,
    "user_opt_out": False,
    "channel": "google",
    "platform": "web",
    "event_day": DAY,
    "delivery_id": DELIVERY,
}
_RIGHT: dict[Dataset, Row] = {
    Dataset.PAGE_VIEWS: {**_EVENT, "referrer": "https://search.example/"},
    Dataset.ORDERS: {
        **_EVENT,
        "order_id": "o1",
        "currency": "EUR",
        "status": "paid",
        "product_id": "p1",
        "quantity": 2,
        "regular_unit_price": Decimal("10.00"),
        "discount_unit_price": Decimal("8.00"),
        "line_number": 1,
        "is_collision": False,
    },
}


def schema(dataset: Dataset) -> pl.Schema:
    """Columns and dtypes of a STAGING table."""
    columns: dict[str, Any] = {column.name: column.dtype for column in SCHEMAS[dataset].columns}
    columns |= {"event_day": pl.Date(), "delivery_id": pl.String(), "row_number": pl.Int64()}
    if dataset is Dataset.ORDERS:
        columns |= {"line_number": pl.Int32(), "is_collision": pl.Boolean()}
    return pl.Schema(columns)


def staged(dataset: Dataset, changes: Sequence[Row]) -> pl.DataFrame:
    """Right rows numbered from 1, each an event and an order of its own, with these changes."""
    rows = [
        {
            **_RIGHT[dataset],
            **({"event_id": f"e{number}"} if dataset is Dataset.PAGE_VIEWS else {"order_id": f"o{number}"}),
            "row_number": number,
            **change,
        }
        for number, change in enumerate(changes, start=1)
    ]
    return pl.DataFrame(rows, schema=schema(dataset))


def refused(rows: Sequence[Row]) -> pl.DataFrame:
    """A QUARANTINE frame of rows of `DAY`."""
    base = {"delivery_id": DELIVERY, "event_day": DAY, "text": "***"}
    return pl.DataFrame([{**base, **row} for row in rows], schema=QUARANTINE_SCHEMA)


def balanced(rows: int, **changes: Any) -> DayFacts:
    """Facts of a day whose rows were all published, on time and as usual."""
    facts: dict[str, Any] = {
        "received": rows,
        "published": rows,
        "duplicates": 0,
        "quarantined": 0,
        "superseded": 0,
        "history_days": 30,
        "history_median": float(rows) or 1.0,
        "hours_late": -2.0,
    }
    return DayFacts(**{**facts, **changes})


def judged(
    folder: Path,
    dataset: Dataset,
    changes: Sequence[Row],
    *,
    profile: ClientProfile | None = None,
    facts: DayFacts | None = None,
    quarantine: pl.DataFrame | None = None,
) -> Judgement:
    """The judgement on a day of changed right rows, written to Parquet in the folder."""
    staging_file = folder / "staging.parquet"
    staged(dataset, changes).write_parquet(staging_file)
    quarantine_files: list[str] = []
    if quarantine is not None:
        quarantine.write_parquet(folder / "quarantine.parquet")
        quarantine_files.append(str(folder / "quarantine.parquet"))
    return judge(
        profile or client(),
        dataset,
        DAY,
        staging=[str(staging_file)],
        quarantine=quarantine_files,
        facts=facts or balanced(len(changes)),
    )
