"""Small staged frames and the DuckDB connection the SQL transforms are tested on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.transforms import events
from symbiosys_pipeline.transforms.sessions import EventDay, carried

DAY = date(2026, 3, 10)
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
ORIGIN: dict[str, pl.DataType] = {
    "event_day": pl.Date(),
    "delivery_id": pl.String(),
    "row_number": pl.Int64(),
}
LINES: dict[str, pl.DataType] = {**ORIGIN, "line_number": pl.Int32()}
STAGED_LINES: dict[str, pl.DataType] = {**LINES, "variant": pl.Int32(), "is_collision": pl.Boolean()}

Row = Mapping[str, Any]


def at(minutes: float = 0, ms: int = 0) -> datetime:
    """That long after midnight of the test day, UTC."""
    return MIDNIGHT + timedelta(minutes=minutes, milliseconds=ms)


def _frame(
    dataset: Dataset, extra: dict[str, pl.DataType], rows: Iterable[Row], defaults: Row
) -> pl.DataFrame:
    schema = {column.name: column.dtype for column in SCHEMAS[dataset].columns} | extra
    filled = [{**dict.fromkeys(schema), **defaults, "row_number": n, **row} for n, row in enumerate(rows, 1)]
    return pl.DataFrame(filled, schema=schema, strict=True, orient="row")


def view_rows(*rows: Row) -> pl.DataFrame:
    """STANDARDIZED page views; what a row leaves out has a plain default."""
    defaults = {
        "event_ts": at(),
        "visitor_id": "v",
        "page_url": "https://shop.example/",
        "user_opt_out": False,
        "channel": "google",
        "platform": "web",
        "event_day": DAY,
        "delivery_id": "0" * 16,
    }
    return _frame(Dataset.PAGE_VIEWS, ORIGIN, rows, defaults)


_LINE_DEFAULTS: Row = {
    "order_id": "o",
    "event_ts": at(),
    "visitor_id": "v",
    "user_opt_out": False,
    "channel": "google",
    "platform": "web",
    "currency": "EUR",
    "product_id": "p",
    "quantity": 1,
    "regular_unit_price": "10.00",
    "event_day": DAY,
    "delivery_id": "0" * 16,
    "line_number": 1,
}


def _priced(rows: Iterable[Row]) -> list[Row]:
    prices = ("regular_unit_price", "discount_unit_price")
    money = pl.Decimal(18, 4)
    return [
        {k: pl.Series([v]).cast(money)[0] if k in prices and v is not None else v for k, v in row.items()}
        for row in rows
    ]


def line_rows(*rows: Row) -> pl.DataFrame:
    """STANDARDIZED order lines; prices may be written as text."""
    return _frame(Dataset.ORDERS, LINES, _priced([{**_LINE_DEFAULTS, **row} for row in rows]), {})


def staged_line_rows(*rows: Row) -> pl.DataFrame:
    """Order lines as the staging table has them; prices may be written as text."""
    defaults = {**_LINE_DEFAULTS, "variant": 1, "is_collision": False}
    return _frame(Dataset.ORDERS, STAGED_LINES, _priced([{**defaults, **row} for row in rows]), {})


def delivery_rows(*rows: tuple[str, date, str]) -> pl.DataFrame:
    """Deliveries as (id, delivery day, source key)."""
    names = {"delivery_id": pl.String(), "delivery_day": pl.Date(), "source_key": pl.String()}
    return pl.DataFrame(list(rows), schema=names, orient="row")


def connection(**relations: pl.DataFrame) -> duckdb.DuckDBPyConnection:
    """An in-memory engine in UTC with the frames as relations of those names."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET threads = 1")
    for name, frame in relations.items():
        con.register(name, frame.to_arrow())
    return con


TODAY = EventDay(DAY, MIDNIGHT, MIDNIGHT - timedelta(days=1))
NO_ORDERS = staged_line_rows()


@dataclass(frozen=True)
class Tables:
    """What one day publishes, and what it took from the day before."""

    page_views: pl.DataFrame
    orders: pl.DataFrame
    sessions: pl.DataFrame
    carried: pl.DataFrame


def run(
    views: pl.DataFrame, previous: pl.DataFrame, lines: pl.DataFrame = NO_ORDERS, day: EventDay = TODAY
) -> Tables:
    """Every table of one day, from staged rows of that day and the day before."""
    con = connection(views=views, previous_views=previous, order_lines_staged=lines)
    events.prepare(con, day)
    tables = Tables(
        events.page_views(con).pl(), events.orders(con).pl(), events.sessions(con).pl(), carried(con).pl()
    )
    con.close()
    return tables
