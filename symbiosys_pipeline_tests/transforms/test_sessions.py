"""Sessions over midnight, boundary by boundary, and against another project's sessionizer."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from symbiosys_pipeline.contracts.columns import TIMESTAMP
from symbiosys_pipeline.transforms.sessions import EventDay
from symbiosys_pipeline_tests.transforms.relations import (
    DAY,
    MIDNIGHT,
    at,
    run,
    staged_line_rows,
    view_rows,
)

ORACLE = Path(__file__).parents[2] / "../shared/fixtures/sessions_oracle"


def test_client_and_derived_sessions_lie_side_by_side() -> None:
    views = view_rows(
        {"event_ts": at(1), "page_url": "u1"},
        {"event_ts": at(2), "page_url": "u2", "session_id": "s"},
        {"event_ts": at(31), "page_url": "u3"},
        {"event_ts": at(61, ms=1), "page_url": "u4"},
        {"event_ts": at(300), "page_url": "u5", "session_id": "s"},
    )
    tables = run(views, view_rows())
    ids = dict(tables.page_views.select("page_url", "session_id").iter_rows())
    assert ids["u2"] == ids["u5"] == "s"
    assert ids["u1"] == ids["u3"] != ids["u4"]
    landings = tables.page_views.filter("is_landing")["page_url"]
    assert sorted(landings) == ["u1", "u2", "u4"]
    assert dict(tables.page_views.select("page_url", "session_source").iter_rows())["u5"] == "client"
    rows = tables.sessions.select("session_start_ts", "views", "split_reason", "landing_url").rows()
    assert rows == [
        (at(1), 2, "inactivity", "u1"),
        (at(2), 2, None, "u2"),
        (at(61, ms=1), 1, "inactivity", "u4"),
    ]


@pytest.mark.parametrize(
    ("previous_ms", "first_ms", "continues"),
    [
        pytest.param(-1, 30 * 60_000 - 1, True, id="exactly-the-timeout"),
        pytest.param(-1, 30 * 60_000, False, id="one-millisecond-more"),
        pytest.param(-30 * 60_000, 0, True, id="view-at-midnight"),
        pytest.param(-30 * 60_000 - 1, 0, False, id="view-at-midnight-too-late"),
    ],
)
def test_a_session_goes_over_midnight_up_to_the_timeout(
    previous_ms: int, first_ms: int, continues: bool
) -> None:
    previous = view_rows({"event_ts": at(ms=previous_ms), "page_url": "landing", "referrer": "from"})
    tables = run(view_rows({"event_ts": at(ms=first_ms), "page_url": "next"}), previous)
    (session,) = tables.sessions.to_dicts()
    assert session["continues_previous_day"] is continues
    assert session["session_start_ts"] == at(ms=previous_ms if continues else first_ms)
    assert session["landing_url"] == ("landing" if continues else "next")
    assert session["landing_referrer"] == ("from" if continues else None)
    assert tables.page_views["is_landing"].to_list() == [not continues]
    assert tables.carried.height == (1 if continues else 0)
    yesterday = EventDay(DAY - timedelta(days=1), MIDNIGHT - timedelta(days=1), MIDNIGHT - timedelta(days=2))
    (before,) = run(previous, view_rows(), day=yesterday).sessions.to_dicts()
    assert (before["session_id"] == session["session_id"]) is continues


@pytest.mark.parametrize(
    ("first_ms", "reason"),
    [
        pytest.param(30 * 60_000 - 1, "midnight", id="may-go-on-from-the-day-before"),
        pytest.param(30 * 60_000, "inactivity", id="cannot-go-on"),
    ],
)
@pytest.mark.parametrize("hours", [23, 24, 25])
def test_a_chain_over_the_whole_day_is_cut_at_midnight(hours: int, first_ms: int, reason: str) -> None:
    previous_start = MIDNIGHT - timedelta(hours=hours)
    first = previous_start + timedelta(milliseconds=first_ms)
    steps = int((MIDNIGHT - first) / timedelta(minutes=30)) + 1
    times = [first + timedelta(minutes=30) * n for n in range(steps)]
    previous = view_rows(*({"event_ts": ts} for ts in times if ts < MIDNIGHT))
    day = EventDay(DAY, MIDNIGHT, previous_start)
    (session,) = run(
        view_rows({"event_ts": at(0)}, {"event_ts": at(30)}), previous, day=day
    ).sessions.to_dicts()
    assert session["split_reason"] == reason
    assert session["continues_previous_day"] is (reason == "inactivity")
    assert session["session_start_ts"] == (at(0) if reason == "midnight" else first)


@pytest.mark.parametrize(
    ("previous", "order", "source", "landing"),
    [
        pytest.param(
            {"event_ts": at(-20), "session_id": "s"},
            {"event_ts": at(10)},
            "client",
            "yesterday",
            id="client-session",
        ),
        pytest.param(
            {"event_ts": at(-20)}, {"event_ts": at(10)}, "derived", "yesterday", id="derived-session"
        ),
        pytest.param({"event_ts": at(-20)}, {"event_ts": at(10, ms=1)}, None, None, id="too-late"),
        pytest.param(
            {"event_ts": at(-20)}, {"event_ts": at(10), "visitor_id": "w"}, None, None, id="other-visitor"
        ),
        pytest.param(
            {"event_ts": at(-900), "session_id": "s"},
            {"event_ts": at(700), "session_id": "s"},
            "client",
            "yesterday",
            id="names-a-session-of-yesterday",
        ),
        pytest.param(
            {"event_ts": at(-20)},
            {"event_ts": at(9), "session_id": "n"},
            "client",
            None,
            id="names-an-unseen-one",
        ),
        pytest.param(
            {"event_ts": at(-60)}, {"event_ts": at(40)}, "derived", "today", id="a-view-at-the-instant"
        ),
        pytest.param({"event_ts": at(-60)}, {"event_ts": at(39)}, None, None, id="a-view-only-afterwards"),
    ],
)
def test_an_order_belongs_to_the_session_of_the_last_view(
    previous: dict[str, Any], order: dict[str, Any], source: str | None, landing: str | None
) -> None:
    views = view_rows({"event_ts": at(40), "page_url": "today"})
    before = view_rows({"page_url": "yesterday", **previous})
    tables = run(views, before, staged_line_rows(order))
    (row,) = tables.orders.to_dicts()
    assert (row["session_source"], row["landing_url"]) == (source, landing)
    yesterday = EventDay(DAY, MIDNIGHT - timedelta(days=1), MIDNIGHT - timedelta(days=2))
    ids = {"yesterday": run(before, view_rows(), day=yesterday).sessions, "today": tables.sessions}
    expected = ids[landing]["session_id"][0] if landing else order.get("session_id")
    assert row["session_id"] == expected


def test_an_order_after_a_chain_cut_at_midnight_has_no_session() -> None:
    previous = view_rows(*({"event_ts": at(-1440 + 20 * n)} for n in range(72)))
    (order,) = run(view_rows(), previous, staged_line_rows({"event_ts": at(5)})).orders.to_dicts()
    assert order["session_id"] is None
    assert order["session_source"] is None


def test_a_day_needs_starts_with_a_zone_in_their_order() -> None:
    with pytest.raises(ValueError, match="time zone"):
        EventDay(DAY, MIDNIGHT.replace(tzinfo=None), MIDNIGHT)
    with pytest.raises(ValueError, match="before"):
        EventDay(DAY, MIDNIGHT, MIDNIGHT)


def _oracle_views() -> pl.DataFrame:
    pages = pl.read_csv(ORACLE / "pages.csv", infer_schema=False).unique("id", keep="first")
    rows = view_rows({}).clear()
    time = pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC").cast(TIMESTAMP)
    told = pages.select(
        event_id="id", visitor_id="anonymous_id", event_ts=time, page_url="url", event_day=time.dt.date()
    )
    return pl.concat([rows, told], how="diagonal").with_columns(
        row_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), delivery_id=pl.lit("0" * 16)
    )


def _groups(page_views: pl.DataFrame, view: str, session: str) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in page_views.group_by(session).agg(view)[view].to_list()}


@pytest.mark.skipif(not ORACLE.exists(), reason="the shared fixtures are not beside this checkout")
@pytest.mark.parametrize("days_at_once", [1, 400], ids=["day-by-day", "in-one-go"])
def test_sessions_are_those_of_another_sessionizer(days_at_once: int) -> None:
    views = _oracle_views()
    expected = pl.read_csv(ORACLE / "expected_page_view_sessions.csv", infer_schema=False)
    first: date = min(views["event_day"])
    parts: list[pl.DataFrame] = []
    step = timedelta(days=days_at_once)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    while start <= max(views["event_ts"]):
        inside = pl.col("event_ts").is_between(start, start + step, closed="left")
        before = pl.col("event_ts").is_between(start - step, start, closed="left")
        day = EventDay(start.date(), start, start - step)
        parts.append(run(views.filter(inside), views.filter(before), day=day).page_views)
        start += step
    published = pl.concat(parts)
    assert published["session_id"].n_unique() == 1498
    assert _groups(published, "event_id", "session_id") == _groups(expected, "page_view_id", "session_id")
    assert published["is_landing"].sum() == 1498


def test_views_of_people_who_stay_away_are_not_carried() -> None:
    previous = view_rows(
        {"visitor_id": "v", "event_ts": at(-40)},
        {"visitor_id": "w", "event_ts": at(-5)},
        {"visitor_id": "x", "event_ts": at(-5), "session_id": "s"},
    )
    views = view_rows({"visitor_id": "v", "event_ts": at(10)}, {"visitor_id": "x", "event_ts": at(5)})
    assert run(views, previous).carried.is_empty()


def test_the_day_of_a_clock_change_has_its_own_length() -> None:
    zone = ZoneInfo("Europe/Paris")
    start = datetime(2026, 3, 30, tzinfo=zone).astimezone(UTC)
    previous_start = datetime(2026, 3, 29, tzinfo=zone).astimezone(UTC)
    assert start - previous_start == timedelta(hours=23)
    chain = [previous_start + timedelta(minutes=29 + 30 * n) for n in range(46)]
    day = EventDay(date(2026, 3, 30), start, previous_start)
    previous = view_rows(*({"event_ts": ts} for ts in chain if ts < start))
    (session,) = run(view_rows({"event_ts": start}), previous, day=day).sessions.to_dicts()
    assert session["split_reason"] == "midnight"


def test_a_client_session_over_midnight_starts_where_it_did() -> None:
    previous = view_rows(
        {"event_ts": at(-700), "session_id": "s", "page_url": "landing"},
        {"event_ts": at(-650), "session_id": "s", "page_url": "later"},
        {"event_ts": at(-800), "session_id": "s", "visitor_id": "w", "page_url": "someone else"},
    )
    tables = run(view_rows({"event_ts": at(600), "session_id": "s"}), previous)
    (session,) = tables.sessions.to_dicts()
    assert session["session_start_ts"] == at(-700)
    assert session["landing_url"] == "landing"
    assert session["continues_previous_day"] is True
    assert session["split_reason"] is None
    assert tables.page_views["is_landing"].to_list() == [False]


def test_ties_in_time_land_once_and_the_same_in_any_order() -> None:
    rows = [{"event_ts": at(1), "page_url": f"u{n}"} for n in range(6)]
    landings: defaultdict[str, int] = defaultdict(int)
    for turn in range(6):
        tables = run(view_rows(*rows[turn:], *rows[:turn]), view_rows())
        (landing,) = tables.page_views.filter("is_landing")["page_url"]
        assert tables.sessions["landing_url"].to_list() == [landing]
        assert tables.page_views["page_url"][0] == landing
        landings[landing] += 1
    assert list(landings.values()) == [6]


def test_an_early_order_does_not_join_views_that_are_too_far_apart() -> None:
    previous = view_rows({"event_ts": at(-10), "page_url": "yesterday"})
    views = view_rows({"event_ts": at(25), "page_url": "today"})
    tables = run(views, previous, staged_line_rows({"event_ts": at(10)}))
    assert tables.orders["landing_url"].to_list() == ["yesterday"]
    (session,) = tables.sessions.to_dicts()
    assert session["session_start_ts"] == at(25)
    assert session["session_id"] != tables.orders["session_id"][0]
