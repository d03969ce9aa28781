"""Laws of sessions, against a brute-force sessionizer.

Days are an hour or two long here, so that whole days of activity and chains over several midnights occur.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiosys_pipeline.transforms.sessions import EventDay
from symbiosys_pipeline_tests.transforms.relations import (
    DAY,
    MIDNIGHT,
    Tables,
    run,
    staged_line_rows,
    view_rows,
)

TIMEOUT = timedelta(minutes=30)
LENGTHS = (timedelta(minutes=90), timedelta(minutes=60), timedelta(minutes=120), timedelta(minutes=90))
STARTS = [MIDNIGHT + sum(LENGTHS[:n], timedelta()) for n in range(len(LENGTHS) + 1)]

GAPS = st.sampled_from([0, 1, 600_000, 1_200_000, 1_799_999, 1_800_000, 1_800_000, 1_800_001, 4_000_000])


@st.composite
def histories(draw: st.DrawFn) -> pl.DataFrame:
    """Two visitors' views over four short days, gaps around the timeout, some with a client's id."""
    rows: list[dict[str, Any]] = []
    for visitor in ("v", "w"):
        time = MIDNIGHT
        for gap in draw(st.lists(GAPS, min_size=3, max_size=14)):
            time += timedelta(milliseconds=gap)
            sid = draw(st.sampled_from([None, None, None, None, "c"]))
            rows.append(
                {"event_ts": time, "visitor_id": visitor, "session_id": sid, "page_url": f"u{len(rows)}"}
            )
    return view_rows(*(row for row in rows if row["event_ts"] < STARTS[-1]))


def _days() -> Iterator[EventDay]:
    for n in range(len(LENGTHS)):
        previous = STARTS[n - 1] if n else STARTS[0] - LENGTHS[0]
        yield EventDay(DAY, STARTS[n], previous)


def _of(views: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    return views.filter(pl.col("event_ts").is_between(start, end, closed="left"))


def _day_views(views: pl.DataFrame, n: int) -> pl.DataFrame:
    return _of(views, STARTS[n], STARTS[n + 1]) if n >= 0 else views.clear()


def _walk_back(times: list[datetime], time: datetime, day: EventDay) -> datetime:
    """The start of the session of a view at `time`, found by stepping back view by view."""
    own = [t for t in times if day.day_start_utc <= t <= time]
    place = len(own) - 1
    while place > 0 and own[place] - own[place - 1] <= TIMEOUT:
        place -= 1
    if place > 0:
        return own[place]
    before = [t for t in times if day.previous_day_start_utc <= t < day.day_start_utc]
    start = own[0]
    if not before or start - before[-1] > TIMEOUT:
        return start
    place = len(before) - 1
    while place > 0 and before[place] - before[place - 1] <= TIMEOUT:
        place -= 1
    may_be_older = place == 0 and before[0] < day.previous_day_start_utc + TIMEOUT
    return start if may_be_older else before[place]


@settings(max_examples=15, deadline=None)
@given(views=histories(), order=st.randoms(use_true_random=False))
def test_sessions_are_those_of_a_brute_force_sessionizer(views: pl.DataFrame, order: Any) -> None:
    derived = views.filter(pl.col("session_id").is_null())
    times = {v: sorted(derived.filter(pl.col("visitor_id") == v)["event_ts"]) for v in ("v", "w")}
    published: list[Tables] = []
    for n, day in enumerate(_days()):
        today, before = _day_views(views, n), _day_views(views, n - 1)
        tables = run(today, before, day=day)
        published.append(tables)
        places = list(range(today.height))
        order.shuffle(places)
        assert run(today[places], before.reverse(), day=day).page_views.equals(tables.page_views)
        starts = {
            (row["visitor_id"], row["session_id"]): row["session_start_ts"]
            for row in tables.sessions.iter_rows(named=True)
        }
        for row in tables.page_views.filter(pl.col("session_source") == "derived").iter_rows(named=True):
            expected = _walk_back(times[row["visitor_id"]], row["event_ts"], day)
            assert starts[row["visitor_id"], row["session_id"]] == expected

    # A session that D says goes on is the one D-1 published, with the same start and landing.
    for before, after in pairwise(published):
        keys = ["visitor_id", "session_id", "session_source"]
        goes_on = after.sessions.filter(
            pl.col("continues_previous_day") & (pl.col("session_source") == "derived")
        )
        joined = goes_on.join(before.sessions, on=keys, suffix="_before")
        assert joined.height == goes_on.height
        assert (joined["session_start_ts"] == joined["session_start_ts_before"]).all()
        assert (joined["landing_url"] == joined["landing_url_before"]).all()
        fresh = after.sessions.filter(~pl.col("continues_previous_day"))
        assert fresh.join(before.sessions, on=keys).is_empty()

    everything = pl.concat([tables.page_views for tables in published])
    derived_views = everything.filter(pl.col("session_source") == "derived")
    assert derived_views["is_landing"].sum() == derived_views["session_id"].n_unique()
    assert everything["session_id"].null_count() == 0

    # Without a whole day of activity, reading one day back is as good as reading everything.
    if not any("midnight" in tables.sessions["split_reason"].to_list() for tables in published):
        whole = EventDay(DAY, STARTS[0], STARTS[0] - timedelta(days=1))
        at_once = run(views, views.clear(), day=whole).page_views
        wanted = at_once.filter(pl.col("session_source") == "derived")
        assert sorted(derived_views.select("page_url", "session_id").rows()) == sorted(
            wanted.select("page_url", "session_id").rows()
        )


@st.composite
def early_orders(draw: st.DrawFn) -> pl.DataFrame:
    """A few orders in the first hour of the second short day."""
    rows = [
        {
            "order_id": f"o{n}",
            "visitor_id": draw(st.sampled_from(["v", "w"])),
            "session_id": draw(st.sampled_from([None, None, "c"])),
            "event_ts": STARTS[1] + timedelta(minutes=draw(st.sampled_from([0, 5, 10, 29, 30, 45]))),
        }
        for n in range(draw(st.integers(0, 3)))
    ]
    return staged_line_rows(*rows)


@settings(max_examples=30, deadline=None)
@given(views=histories(), lines=early_orders(), gone=st.sets(st.integers(0, 8), min_size=1, max_size=3))
def test_what_is_carried_is_all_a_day_takes_from_the_day_before(
    views: pl.DataFrame, lines: pl.DataFrame, gone: set[int]
) -> None:
    today = _day_views(views, 1)
    yesterday = _day_views(views, 0).with_row_index("place")
    changed = yesterday.filter(~pl.col("place").is_in(sorted(gone))).drop("place")
    yesterday = yesterday.drop("place")
    day = EventDay(DAY, STARTS[1], STARTS[0])
    first, second = run(today, yesterday, lines, day), run(today, changed, lines, day)
    if first.carried.equals(second.carried):
        assert first.page_views.equals(second.page_views)
        assert first.orders.equals(second.orders)
        assert first.sessions.equals(second.sessions)
    keys = first.carried.select("fact", "visitor_id", "session_id", "session_source")
    assert keys.is_duplicated().sum() == 0
