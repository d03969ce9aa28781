"""Random clients and random histories of their deliveries, for the laws that hold for all of them.

Days lie around a change of clocks, rows around few visitors, instants, ids and pages, so that late rows,
copies, collisions, sessions over midnight and rows that change days are common and not lucky.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from symbiosys_pipeline_tests.pipeline.clients import csv_bytes, orders_key, visits_key, written

#: The day whose clocks change, by zone: forward, back, never.
_CHANGES = {
    "Europe/Paris": date(2026, 3, 29),
    "America/New_York": date(2025, 11, 2),
    "UTC": date(2026, 3, 2),
}
_DAYS = 3
_RENAMED = "visitr_id"


@dataclass(frozen=True)
class Content:
    """One version of a file: what it holds, and how many records that is (None: not readable as a whole)."""

    key: str
    text: bytes
    records: int | None


@dataclass(frozen=True)
class Delivered:
    """A file is written; `restores_time` gives it back the time it had when it last held these bytes."""

    content: Content
    restores_time: bool = False


@dataclass(frozen=True)
class Run:
    """The pipeline runs until nothing is stale."""


@dataclass(frozen=True)
class History:
    """A client as a person wrote it, and what happened, run points included."""

    attributes: dict[str, Any]
    steps: tuple[Delivered | Run, ...]


@dataclass(frozen=True)
class _Shape:
    zone: ZoneInfo
    first: date
    has_sessions: bool
    has_event_ids: bool
    lists: bool

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(_DAYS)]

    def instants(self) -> st.SearchStrategy[str]:
        """Within the three days: anywhere, or around a midnight, where sessions and days meet."""
        midnights = [datetime(day.year, day.month, day.day, tzinfo=self.zone) for day in self.days()]
        near = st.tuples(st.sampled_from(midnights), st.sampled_from([-31, -30, -1, 0, 1, 29, 30]))
        far = st.tuples(st.just(midnights[0]), st.integers(0, _DAYS * 24 - 2).map(lambda hour: hour * 60))
        return st.one_of(near, far).map(
            lambda pair: (pair[0].astimezone(UTC) + timedelta(minutes=pair[1])).strftime("%Y-%m-%dT%H:%M:%SZ")
        )


_VISITORS = st.sampled_from(["v1", "v2", "v3"])
_PAGES = st.sampled_from(["https://a.example/", "https://a.example/b"])
_BAD_TIMES = st.sampled_from(["", "yesterday", "2020-01-01T00:00:00Z"])


def _view_records(shape: _Shape) -> st.SearchStrategy[list[str]]:
    def record(at: str, visitor: str, page: str, session: str, event: str) -> list[str]:
        ids = [session] * shape.has_sessions + [event] * shape.has_event_ids
        return [at, visitor, page, *ids]

    sessions, events = st.sampled_from(["", "", "s1", "s2"]), st.sampled_from(["", "e1", "e2", "e3", "e4"])
    sound = st.builds(record, shape.instants(), _VISITORS, _PAGES, sessions, events)
    bad = st.one_of(
        st.builds(record, _BAD_TIMES, _VISITORS, _PAGES, sessions, events),
        st.builds(record, shape.instants(), st.just(""), _PAGES, sessions, events),
        shape.instants().map(lambda at: [at]),
    )
    return st.one_of(sound, sound, sound, sound, bad)


def _orders(shape: _Shape) -> st.SearchStrategy[list[list[str]]]:
    """The records of one order: one per line, or one with lists."""
    lines = st.lists(
        st.tuples(
            st.sampled_from(["p1", "p2"]),
            st.sampled_from(["1", "2", "2", "1", "0"]),
            st.sampled_from(["9.99", "20"]),
            st.sampled_from(["", "5.00"]),
        ),
        min_size=1,
        max_size=2,
    )

    def records(order_id: str, at: str, visitor: str, parts: list[tuple[str, ...]]) -> list[list[str]]:
        head = [order_id, at, visitor]
        if shape.lists:
            return [[*head, *(json.dumps(list(column)) for column in zip(*parts, strict=True))]]
        return [[*head, *part] for part in parts]

    ids = st.sampled_from(["o1", "o2", "o3", "o4"])
    return st.builds(records, ids, shape.instants(), _VISITORS, lines)


def _contents(shape: _Shape, day: date, dataset: str) -> st.SearchStrategy[Content]:
    if dataset == "visits":
        header = ["event_ts", "visitor_id", "page_url"]
        header += ["session_id"] * shape.has_sessions + ["event_id"] * shape.has_event_ids
        records = st.lists(_view_records(shape), max_size=12)
        key = visits_key(day)
    else:
        header = ["order_id", "event_ts", "visitor_id", "product_id", "quantity"]
        header += ["regular_unit_price", "discount_unit_price"]
        records = st.lists(_orders(shape), max_size=5).map(lambda many: [row for one in many for row in one])
        key = orders_key(day)
    renamed = [_RENAMED if name == "visitor_id" else name for name in header]
    sound = records.map(lambda rows: Content(key, csv_bytes(header, rows), len(rows)))
    refused = records.map(lambda rows: Content(key, csv_bytes(renamed, rows), None))
    return st.one_of(sound, sound, sound, sound, sound, refused)


def _with_one_record_less(content: Content, place: int) -> Content:
    """A removal: one line of a file without quoted newlines goes."""
    lines = content.text.splitlines(keepends=True)
    if content.records is None or content.records == 0:
        return content
    del lines[1 + place % content.records]
    return Content(content.key, b"".join(lines), content.records - 1)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Every file once, then corrections, removals, copies, restored and unreadable versions, and runs."""
    zone, change = draw(st.sampled_from(sorted(_CHANGES.items())))
    shape = _Shape(
        ZoneInfo(zone),
        change - timedelta(days=1),
        has_sessions=draw(st.booleans()),
        has_event_ids=draw(st.booleans()),
        lists=draw(st.booleans()),
    )
    attributes = written(time_zone=zone, start_date=shape.first.isoformat(), allowed_lateness_days=2)
    if shape.lists:
        attributes["orders"]["line_layout"] = "list_columns"
    files = [(day, dataset) for day in shape.days() for dataset in ("visits", "orders")]
    steps: list[Delivered | Run] = []
    versions: list[Content] = []
    for day, dataset in draw(st.permutations(files)):
        content = draw(_contents(shape, day, dataset))
        versions.append(content)
        steps.append(Delivered(content))
    steps.insert(draw(st.integers(1, len(steps))), Run())
    for _ in range(draw(st.integers(2, 6))):
        match draw(st.sampled_from(["correct", "correct", "remove", "restore", "restore", "run"])):
            case "correct":
                day, dataset = draw(st.sampled_from(files))
                versions.append(draw(_contents(shape, day, dataset)))
                steps.append(Delivered(versions[-1]))
            case "remove":
                place = draw(st.integers(0, 11))
                versions.append(_with_one_record_less(draw(st.sampled_from(versions)), place))
                steps.append(Delivered(versions[-1]))
            case "restore":
                steps.append(Delivered(draw(st.sampled_from(versions)), restores_time=draw(st.booleans())))
            case _:
                steps.append(Run())
    return History(attributes, (*steps, Run()))
