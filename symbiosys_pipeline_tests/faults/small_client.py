"""A client of two days and a few rows: what it delivers first, what it corrects. Nothing is run here."""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from symbiosys_pipeline.contracts.profile import ClientProfile

CLIENT = "acme"
FIRST, SECOND = DAYS = (date(2026, 3, 1), date(2026, 3, 2))

_VIEW_COLUMNS = ("event_ts", "visitor_id", "page_url")
_ORDER_COLUMNS = ("order_id", "event_ts", "visitor_id", "product_id", "quantity", "regular_unit_price")

View = tuple[str, str, str]
Order = tuple[str, str, str, str, str, str]


def profile(source: Path) -> ClientProfile:
    """The client, whose files lie in one folder."""
    timestamp = {"format": "iso8601"}
    return ClientProfile.model_validate(
        {
            "client": CLIENT,
            "start_date": FIRST,
            "time_zone": "UTC",
            "currency": "EUR",
            "owners": ["team:retail"],
            "page_views": {
                "sources": [
                    {
                        "location": str(source),
                        "pattern": "visits/v_{YYYYMMDD}.csv.gz",
                        "timestamp": timestamp,
                    }
                ]
            },
            "orders": {
                "sources": [
                    {"location": str(source), "pattern": "orders/o_{YYYYMMDD}.csv", "timestamp": timestamp}
                ],
                "discount_meaning": "net_price",
            },
        }
    )


def _view(day: date, clock: str, visitor: str, page: str) -> View:
    return (f"{day}T{clock}Z", visitor, f"https://shop.example/{page}")


#: By delivery day. A session of `owl` runs over midnight; the second day's file brings a late row.
VIEWS: Mapping[date, Sequence[View]] = {
    FIRST: [
        _view(FIRST, "10:00:00", "ant", "a"),
        _view(FIRST, "10:05:00", "ant", "b"),
        _view(FIRST, "23:50:00", "owl", "night"),
    ],
    SECOND: [
        _view(FIRST, "18:00:00", "bee", "late"),
        _view(SECOND, "00:05:00", "owl", "night"),
        _view(SECOND, "00:10:00", "bee", "night"),
        _view(SECOND, "09:00:00", "ant", "a"),
    ],
}
ORDERS: Mapping[date, Sequence[Order]] = {
    FIRST: [("o1", f"{FIRST}T10:06:00Z", "ant", "p1", "1", "10.00")],
    SECOND: [
        ("o2", f"{SECOND}T09:10:00Z", "ant", "p1", "2", "10.00"),
        ("o3", f"{SECOND}T12:00:00Z", "owl", "p2", "1", "5.50"),
    ],
}

#: The second day's next delivery: a row moved to the day before, now in one session with the night's; one
#: changed, one bad.
CORRECTED_VIEWS: Sequence[View] = [
    _view(FIRST, "18:00:00", "bee", "late"),
    _view(FIRST, "23:55:00", "bee", "moved"),
    _view(SECOND, "00:05:00", "owl", "night"),
    _view(SECOND, "00:10:00", "bee", "night"),
    _view(SECOND, "09:00:00", "ant", "corrected"),
    ("no time at all", "ant", "https://shop.example/bad"),
]
CORRECTED_ORDERS: Sequence[Order] = [
    ("o2", f"{SECOND}T09:10:00Z", "ant", "p1", "3", "10.00"),
    ("o3", f"{SECOND}T12:00:00Z", "owl", "p2", "1", "5.50"),
]


def views_file(source: Path, day: date) -> Path:
    return source / "visits" / f"v_{day:%Y%m%d}.csv.gz"


def orders_file(source: Path, day: date) -> Path:
    return source / "orders" / f"o_{day:%Y%m%d}.csv"


def views_gzip(rows: Sequence[View]) -> bytes:
    return gzip.compress(_csv(_VIEW_COLUMNS, rows), mtime=0)


def orders_csv(rows: Sequence[Order]) -> bytes:
    return _csv(_ORDER_COLUMNS, rows)


def deliver_first(source: Path) -> None:
    """Write every day's first delivery."""
    for day in DAYS:
        replace(views_file(source, day), views_gzip(VIEWS[day]))
        replace(orders_file(source, day), orders_csv(ORDERS[day]))


def deliver_correction(source: Path) -> None:
    """Replace both files of the second day."""
    replace(views_file(source, SECOND), views_gzip(CORRECTED_VIEWS))
    replace(orders_file(source, SECOND), orders_csv(CORRECTED_ORDERS))


def swap(source: Path, shelf: Path) -> None:
    """Exchange the second day's files with those on a shelf, which keep their generation by the move."""
    shelf.mkdir(exist_ok=True)
    for file in (views_file(source, SECOND), orders_file(source, SECOND)):
        aside = shelf / f"{file.name}.aside"
        file.rename(aside)
        if (shelf / file.name).exists():
            (shelf / file.name).rename(file)
        aside.rename(shelf / file.name)


def replace(file: Path, content: bytes) -> None:
    """Put a file in place whole, as a careful client does: each time under a new inode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.parent.parent / f"{file.name}.part"
    beside.write_bytes(content)
    beside.replace(file)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
