"""Client profiles for tests: the shortest one a person can write, and random ones."""

from datetime import date, time
from typing import Any, TypeVar

from hypothesis import strategies as st

from symbiosys_pipeline.contracts import profile as p
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS

Source = TypeVar("Source", bound=p.FileSource)


def shortest() -> dict[str, Any]:
    """The attributes of a profile with nothing but what is required."""
    return {
        "client": "acme",
        "start_date": "2026-01-01",
        "currency": "EUR",
        "owners": ["team:web"],
        "page_views": {"sources": [{"location": "in", "pattern": "v_{YYYYMMDD}.csv"}]},
        "orders": {"sources": [{"location": "in", "pattern": "o_{YYYYMMDD}.csv"}]},
    }


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# No lone surrogates: they are no text. All else may be in a title, a null word or a status.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_YAML_TRAPS = st.sampled_from(
    [
        "no",
        "~",
        "null",
        "12:00",
        "0x1F",
        "1e3",
        "- a",
        "a: b",
        "# a",
        " a",
        "a\nb",
        "\t",
        "'",
        '"',
        "{YYYY}",
        "\\N",
    ]
)
_WORDS = st.lists(_WORD | _YAML_TRAPS, max_size=3).map(tuple)
_NAMES = st.text(_LETTERS, min_size=2, max_size=8)
_SHARES = st.floats(0, 1)
_TIMES = st.builds(
    p.TimestampFormat,
    format=st.sampled_from(
        ["epoch_ms", "epoch_s", "epoch_us", "iso8601", "%d/%m/%Y %H:%M:%S.%f", "%Y-%j %I:%M %p"]
    ),
    time_zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York"]),
    offset_seconds=st.integers(-86_400, 86_400),
    ambiguous=st.sampled_from(p.AmbiguousTime),
)
_DUE = st.builds(
    p.Due, days_after=st.integers(0, 31), at=st.times().map(lambda at: time(at.hour, at.minute, at.second))
)


def _sources(kind: type[Source], dataset: Dataset) -> st.SearchStrategy[tuple[Source, ...]]:
    one = st.builds(
        kind,
        name=_NAMES,
        location=st.sampled_from(["in", "/mnt/in", "gs://bucket/in", "s3://bucket"])
        | _WORD.filter(lambda w: ":" not in w),
        pattern=st.sampled_from(["v_{YYYYMMDD}", "{YYYY}/{MM}/{DD}/*_{HH}.gz", "all"]),
        format=st.sampled_from(p.FileFormat),
        delimiter=st.sampled_from(p.Delimiter),
        compression=st.sampled_from(p.Compression),
        encoding=st.sampled_from(p.Encoding),
        decimal_separator=st.sampled_from(p.DecimalSeparator),
        cadence=st.sampled_from(p.Cadence),
        due=_DUE,
        timestamp=_TIMES,
        mapping=st.dictionaries(st.sampled_from(SCHEMAS[dataset].names()), _WORD | _YAML_TRAPS, max_size=3),
        allowed_lateness_days=st.none() | st.integers(0, 4000),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda source: source.name).map(tuple)


@st.composite
def _orders(draw: st.DrawFn) -> p.OrdersProfile:
    layout = draw(st.sampled_from(p.LineLayout))
    lists = layout is p.LineLayout.LIST_COLUMNS
    cancelled = draw(_WORDS)
    known = {status.casefold() for status in cancelled}
    return p.OrdersProfile(
        sources=draw(_sources(p.OrderSource, Dataset.ORDERS)),
        line_layout=layout,
        list_separator=draw(st.text("|;, \t", min_size=1, max_size=3)) if lists else ",",
        discount_meaning=draw(st.sampled_from(p.DiscountMeaning)),
        cancelled_statuses=cancelled,
        returned_statuses=tuple(word for word in draw(_WORDS) if word.casefold() not in known),
    )


@st.composite
def profiles(draw: st.DrawFn) -> p.ClientProfile:
    """Any profile a person can write."""
    start = draw(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    return p.ClientProfile(
        client=draw(_NAMES),
        title=draw(_TEXT | _YAML_TRAPS),
        time_zone=draw(st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"])),
        start_date=start,
        live_from=draw(st.none() | st.dates(start, date(2101, 1, 1))),
        currency=draw(st.sampled_from(["EUR", "USD", "JPY"])),
        owners=draw(
            st.lists(
                st.sampled_from(["team:web", "team:a'b: c", "ops@shop.example"]).filter(
                    lambda o: " " not in o
                ),
                min_size=1,
                max_size=2,
            ).map(tuple)
        ),
        page_views=p.PageViewsProfile(sources=draw(_sources(p.PageViewSource, Dataset.PAGE_VIEWS))),
        orders=draw(_orders()),
        null_words=draw(st.lists(_TEXT | _YAML_TRAPS, max_size=3).map(tuple)),
        own_hosts=draw(st.lists(st.sampled_from(["www.shop.example", "pay.example"]), max_size=2).map(tuple)),
        campaign_ids=draw(_WORDS),
        allowed_lateness_days=draw(st.integers(0, 4000)),
        future_tolerance_minutes=draw(st.integers(0, 1440)),
        session_timeout_minutes=draw(st.integers(1, 720)),
        thresholds=draw(
            st.builds(
                p.Thresholds,
                required_completeness=_SHARES,
                expected_completeness=_SHARES,
                valid_share=_SHARES,
                collision_share=_SHARES,
                volume_change=st.floats(0, 1e18, exclude_min=True),
                volume_history_days=st.integers(3, 10_000),
            )
        ),
        restrictions=draw(
            st.builds(
                p.Restrictions,
                drop_fields=st.lists(st.sampled_from(p.DROPPABLE_FIELDS), max_size=3).map(tuple),
                drop_query_parameters=_WORDS,
            )
        ),
    )
