"""Times against Python's datetime and zoneinfo as an independent reading."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.profile import TimestampFormat
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.transforms.timestamps import check_timestamp_format, with_instant
from symbiosys_pipeline_tests.transforms.standardizing import PAGE_VIEW, UNTIMED, run, spec_of

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"


def read(values: list[Any], dtype: pl.DataType | None = None, **written: Any) -> list[Any]:
    """Per value: the instant, the reason, or None where absent."""
    frame = pl.DataFrame({"text": pl.Series(values, dtype=dtype or pl.String())})
    placed = with_instant(
        frame.lazy(),
        "text",
        frame.schema["text"],
        TimestampFormat(**written),
        instant="instant",
        problem_name="problem",
    ).collect()
    assert placed.columns == ["text", "instant", "problem"]
    assert placed.schema["instant"] == pl.Datetime("ms", "UTC")
    both = zip(placed["instant"], placed["problem"].cast(pl.String), strict=True)
    return [problem if instant is None else instant.astimezone(UTC) for instant, problem in both]


def utc(*parts: int, ms: int = 0) -> datetime:
    return datetime(*parts, tzinfo=UTC) + timedelta(milliseconds=ms)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("epoch_ms", "1763900000123", utc(2025, 11, 23, 12, 13, 20, ms=123)),
        ("epoch_ms", "1763900000", "wrong_timestamp_unit"),
        ("epoch_ms", "1763900000123456", "wrong_timestamp_unit"),
        ("epoch_ms", "1763900000123456789", "wrong_timestamp_unit"),
        ("epoch_ms", "-1763900000123", "unparseable_timestamp"),
        ("epoch_ms", "+1763900000123", "unparseable_timestamp"),
        ("epoch_ms", "1763900000123.0", "unparseable_timestamp"),
        ("epoch_ms", "2025-11-23", "unparseable_timestamp"),
        ("epoch_ms", "٣", "unparseable_timestamp"),
        ("epoch_ms", "9" * 30, "unparseable_timestamp"),
        ("epoch_ms", "0", utc(1970, 1, 1)),
        ("epoch_ms", None, None),
        ("epoch_s", "1763900000", utc(2025, 11, 23, 12, 13, 20)),
        ("epoch_s", "1763900000123", "wrong_timestamp_unit"),
        ("epoch_s", "18446744073709552", "unparseable_timestamp"),
        ("epoch_us", "1763900000123999", utc(2025, 11, 23, 12, 13, 20, ms=123)),
        ("epoch_us", "1763900000123", "wrong_timestamp_unit"),
    ],
)
def test_epoch(unit: str, text: str | None, expected: object) -> None:
    assert read([text], format=unit) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:11", utc(2026, 11, 23, 9, 11)),
        ("2026-11-23 10:11:12", utc(2026, 11, 23, 9, 11, 12)),
        ("2026-11-23T10:11:12.9999999Z", utc(2026, 11, 23, 10, 11, 12, ms=999)),
        ("2026-11-23T10:11:12.5+05:30", utc(2026, 11, 23, 4, 41, 12, ms=500)),
        ("2026-11-23T10:11:12-0330", utc(2026, 11, 23, 13, 41, 12)),
        ("2026-11-23T10:11-03", utc(2026, 11, 23, 13, 11)),
        ("2026-11-23 10:11:12 UTC", utc(2026, 11, 23, 10, 11, 12)),
        ("2024-02-29T00:00:00Z", utc(2024, 2, 29)),
        ("2026-02-30T00:00:00Z", "unparseable_timestamp"),
        ("2026-11-23T24:00:00Z", "unparseable_timestamp"),
        ("2026-11-23T10:60:00Z", "unparseable_timestamp"),
        ("2026-11-23", "unparseable_timestamp"),
        ("2026-11-23T10:11:12.1234567890Z", "unparseable_timestamp"),
        ("23/11/2026 10:11", "unparseable_timestamp"),
        ("0000-01-01T00:00Z", "unparseable_timestamp"),
        ("2026-11-23T10:11:12Z and more", "unparseable_timestamp"),
    ],
)
def test_iso8601(text: str, expected: object) -> None:
    assert read([text], format="iso8601", time_zone=PARIS) == [expected]


@pytest.mark.parametrize(
    ("zone", "local", "earliest", "latest"),
    [
        (PARIS, "2026-10-25 02:30:00", utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)),
        (PARIS, "2026-10-25 03:00:00", utc(2026, 10, 25, 2), utc(2026, 10, 25, 2)),
        (NEW_YORK, "2026-11-01 01:30:00", utc(2026, 11, 1, 5, 30), utc(2026, 11, 1, 6, 30)),
        (PARIS, "2026-03-29 02:30:00", "nonexistent_local_time", "nonexistent_local_time"),
        (NEW_YORK, "2026-03-08 02:00:00", "nonexistent_local_time", "nonexistent_local_time"),
        (NEW_YORK, "2026-03-08 03:00:00", utc(2026, 3, 8, 7), utc(2026, 3, 8, 7)),
    ],
)
@pytest.mark.parametrize("pattern", ["iso8601", "%Y-%m-%d %H:%M:%S"])
def test_clock_changes(pattern: str, zone: str, local: str, earliest: object, latest: object) -> None:
    refused = earliest if earliest == latest else "ambiguous_local_time"
    for policy, expected in (("refuse", refused), ("earliest", earliest), ("latest", latest)):
        assert read([local], format=pattern, time_zone=zone, ambiguous=policy) == [expected]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%d/%m/%Y %H:%M:%S", "23/11/2026 10:11:12", utc(2026, 11, 23, 9, 11, 12)),
        ("%d/%m/%Y %H:%M:%S.%f", "23/11/2026 10:11:12.5", utc(2026, 11, 23, 9, 11, 12, ms=500)),
        ("%d.%m.%y %I:%M %p", "23.11.26 12:30 AM", utc(2026, 11, 22, 23, 30)),
        ("%d/%m/%Y %H:%M", "30/02/2026 10:11", "unparseable_timestamp"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-11-23T10:11:12+0530", utc(2026, 11, 23, 4, 41, 12)),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-11-23T10:11:12Z", utc(2026, 11, 23, 10, 11, 12)),
    ],
)
def test_strptime(pattern: str, text: str, expected: object) -> None:
    assert read([text], format=pattern, time_zone=PARIS) == [expected]


@pytest.mark.parametrize(
    "pattern", ["%Y-%m-%d %H:%M", "%d.%m.%y %I:%M %p", "%Y%j %R", "%b %e, %Y %T.%f %z", "iso8601"]
)
def test_readable_formats_pass(pattern: str) -> None:
    check_timestamp_format(TimestampFormat(format=pattern), "acme")


def test_a_pattern_the_engine_cannot_read_is_a_mistake() -> None:
    # The contract refuses this one already; what else the engine cannot read is not known in advance.
    written = TimestampFormat.model_construct(format="%Y-%m-%d %H")
    with pytest.raises(ConfigurationError, match=r"acme.*\n.*timestamp\.format"):
        check_timestamp_format(written, "acme")


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (pl.Datetime("us"), datetime(2026, 11, 23, 10, 0, 0, 999), utc(2026, 11, 23, 9)),  # noqa: DTZ001
        (pl.Datetime("ns", PARIS), utc(2026, 11, 23, 9), utc(2026, 11, 23, 9)),
        (pl.Datetime("ms"), datetime(2026, 10, 25, 2, 30), "ambiguous_local_time"),  # noqa: DTZ001
        (pl.Date(), date(2026, 11, 23), utc(2026, 11, 22, 23)),
        (pl.Datetime("ms"), None, None),
    ],
)
def test_native_times(dtype: pl.DataType, value: object, expected: object) -> None:
    assert read([value], dtype, time_zone=PARIS) == [expected]


def test_offset_is_subtracted() -> None:
    assert read(["1763900000123"], offset_seconds=1800) == [utc(2025, 11, 23, 11, 43, 20, ms=123)]


@UNTIMED
@given(
    st.lists(
        st.datetimes(datetime(1971, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        min_size=1,
        max_size=10,
    ),
    st.integers(-14 * 60, 14 * 60),
)
def test_epochs_and_offsets_equal_pythons(instants: list[datetime], minutes: int) -> None:
    floored = [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in instants]
    abroad = timezone(timedelta(minutes=minutes))
    assert read([at.astimezone(abroad).isoformat() for at in instants], format="iso8601") == floored
    # Before 2001 a count of microseconds has fifteen digits, or looks like another unit: left out.
    recent = [at for at in instants if at.year > 2001]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    counts = [str((at - epoch) // timedelta(microseconds=1)) for at in recent]
    assert read(counts, format="epoch_us") == [at for at in floored if at.year > 2001]


@UNTIMED
@given(
    st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2036, 1, 1)), min_size=1, max_size=10),  # noqa: DTZ001
    st.sampled_from([PARIS, NEW_YORK, "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
    st.sampled_from([("earliest", 0), ("latest", 1)]),
)
def test_local_times_equal_zoneinfo(locals_: list[datetime], zone: str, policy: tuple[str, int]) -> None:
    name, fold = policy
    expected: list[object] = []
    for local in (local.replace(microsecond=0) for local in locals_):
        placed = local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
        exists = placed.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local
        expected.append(placed if exists else "nonexistent_local_time")
    texts = [local.strftime("%Y-%m-%d %H:%M:%S") for local in locals_]
    assert read(texts, format="iso8601", time_zone=zone, ambiguous=name) == expected


@UNTIMED
@given(
    st.text(max_size=30), st.sampled_from(["epoch_ms", "epoch_s", "epoch_us", "iso8601", "%d/%m/%Y %H:%M"])
)
def test_no_text_crashes(text: str, written: str) -> None:
    assert len(read([text], format=written, time_zone=PARIS)) == 1


# Delivery day 2026-11-22 in New York ends at 2026-11-23T05:00Z; 35 minutes of tolerance; 3 days of lateness.
@pytest.mark.parametrize(
    ("at", "expected", "event_day"),
    [
        (utc(2026, 11, 23, 5, 35), None, date(2026, 11, 23)),
        (utc(2026, 11, 23, 5, 35, ms=1), "in_future", date(2026, 11, 23)),
        (utc(2026, 11, 24, 5), "in_future", None),
        (utc(2026, 11, 19, 5), None, date(2026, 11, 19)),
        (utc(2026, 11, 19, 5, ms=-1), "outside_lateness_window", date(2026, 11, 18)),
        (utc(2026, 11, 17, 12), "outside_lateness_window", None),
    ],
)
def test_window(at: datetime, expected: str | None, event_day: date | None) -> None:
    spec = spec_of(time_zone=NEW_YORK, start_date=date(2026, 11, 18))
    valid, refused = run([{**PAGE_VIEW, "event_ts": str(int(at.timestamp() * 1000))}], spec)
    assert refused["reason"].to_list() == ([expected] if expected else [])
    assert pl.concat([valid["event_day"], refused["event_day"]]).to_list() == [event_day]


def test_before_start_date() -> None:
    spec = spec_of(start_date=date(2026, 11, 22), allowed_lateness_days=4000)
    _, refused = run([{**PAGE_VIEW, "event_ts": "1763000000000"}], spec)
    assert refused.select("reason", "event_day").rows() == [("before_start_date", None)]
