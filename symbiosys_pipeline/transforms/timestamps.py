"""An event's time: from the client's way of writing it to UTC milliseconds, and its place in the window.

Times are never guessed (CONTRACT 2.1): what the declared format does not read exactly is refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from symbiosys_pipeline.contracts.columns import TIMESTAMP
from symbiosys_pipeline.contracts.profile import AmbiguousTime, TimestampFormat
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.transforms.quarantine import problem

# Since 2001 a number of 10 digits is seconds, of 13 milliseconds, of 16 microseconds, of 19 nanoseconds.
_UNIT_DIGITS = {"epoch_s": 10, "epoch_ms": 13, "epoch_us": 16, "epoch_ns": 19}

# What datetime and every engine downstream can hold, a day away from either end for the time zones.
_EARLIEST_MS = int(datetime(1, 1, 2, tzinfo=UTC).timestamp()) * 1000
_LATEST_MS = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp()) * 1000

_ISO = (
    r"^\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
    r"(?:Z| UTC|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$"
)
_ISO_UTC = r"(?:Z|UTC)$"
_ISO_OFFSET = r"([+-])(\d{2}):?(\d{2})?$"

_LOCAL = "__local_ms"
_INSTANT = "__instant_ms"


@dataclass(frozen=True)
class EventWindow:
    """The client-local days a delivery's events may lie on.

    Attributes:
        time_zone: IANA zone of the client's days.
        start_date: The client's first day.
        delivery_day: The delivery's day.
        lateness_days: Days an event may be older than the delivery day (CONTRACT 3).
        future_tolerance_minutes: Minutes an event may lie after the delivery day's end (CONTRACT 5).
    """

    time_zone: str
    start_date: date
    delivery_day: date
    lateness_days: int
    future_tolerance_minutes: int

    @property
    def latest(self) -> datetime:
        """The last instant accepted."""
        midnight = datetime.combine(
            self.delivery_day + timedelta(days=1), time(), tzinfo=ZoneInfo(self.time_zone)
        )
        return midnight.astimezone(UTC) + timedelta(minutes=self.future_tolerance_minutes)

    def event_day(self, instant: pl.Expr) -> pl.Expr:
        """The client-local Date of a UTC instant."""
        if self.time_zone == "UTC":
            return instant.dt.date()
        return instant.dt.convert_time_zone(self.time_zone).dt.date()

    def problem(self, instant: pl.Expr, event_day: pl.Expr) -> pl.Expr:
        """Why an event's time is outside the window; null where it is inside."""
        # A window longer than the calendar is no window.
        oldest = date.fromordinal(max(1, self.delivery_day.toordinal() - self.lateness_days))
        return (
            pl.when(event_day < oldest)
            .then(problem("outside_lateness_window"))
            .when(instant > pl.lit(self.latest, dtype=TIMESTAMP))
            .then(problem("in_future"))
            .when(event_day < self.start_date)
            .then(problem("before_start_date"))
        )

    def plausible_day(self, event_day: pl.Expr) -> pl.Expr:
        """The day of a refused row, where it is a day this pipeline can have; else null."""
        latest = self.delivery_day + timedelta(days=1)
        return pl.when(event_day.is_between(self.start_date, latest)).then(event_day)


def check_timestamp_format(written: TimestampFormat, where: str) -> None:
    """Raise `ConfigurationError` where a strptime pattern cannot read back what it writes."""
    if written.format in _UNIT_DIGITS or written.format == "iso8601":
        return
    pattern = _chrono_pattern(written.format)
    sample = pl.Series([datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)], dtype=TIMESTAMP)
    try:
        text = sample.dt.to_string(pattern)
        reread = text.str.to_datetime(pattern, strict=False).dt.date()
        unread = reread.item() != sample.dt.date().item()
    except pl.exceptions.ComputeError:
        unread = True
    if unread:
        mistake = f"timestamp.format: {written.format!r} does not read back the times it writes"
        raise ConfigurationError(where, [f"{mistake}; expected a pattern such as %d/%m/%Y %H:%M:%S"])


def with_instant(
    frame: pl.LazyFrame,
    source: str,
    dtype: pl.DataType,
    written: TimestampFormat,
    *,
    instant: str,
    problem_name: str,
) -> pl.LazyFrame:
    """The frame with the time of `source` as a UTC instant and the problem it has, if any.

    Args:
        frame: Holds `source`; its String values are trimmed and null where absent.
        source: Column to read; String in the written format, or a native Datetime or Date.
        dtype: Type of `source`. A naive Datetime is taken in the written time zone.
        written: How the client writes times.
        instant: Name of the added column, `Datetime("ms", "UTC")`, floored to the millisecond; null where
            the value is absent or refused.
        problem_name: Name of the added `REASON` column; null where the value is absent or was read.
    """
    given = pl.col(source)
    if dtype.is_temporal():
        frame = frame.with_columns(_native_columns(given, dtype))
        refusal = problem("unparseable_timestamp")
    elif written.format in _UNIT_DIGITS:
        frame = frame.with_columns(_epoch_columns(given, written.format))
        refusal = _epoch_refusal(given, written.format)
    elif written.format == "iso8601":
        frame = frame.with_columns(_iso_columns(given))
        refusal = problem("unparseable_timestamp")
    else:
        frame = frame.with_columns(_pattern_columns(given, written.format))
        refusal = problem("unparseable_timestamp")
    zone, shift = written.time_zone, written.offset_seconds * 1000
    local = _bounded(pl.col(_LOCAL)).cast(pl.Datetime("ms"))
    policy = "null" if written.ambiguous is AmbiguousTime.REFUSE else written.ambiguous.value
    placed = _placed(local, zone, policy)
    value = _bounded(pl.coalesce(pl.col(_INSTANT), placed.to_physical()) - shift).cast(TIMESTAMP)
    if zone != "UTC":
        unplaced = local.is_not_null() & pl.col(_INSTANT).is_null() & placed.is_null()
        exists = _placed(local, zone, "earliest").is_not_null()
        refusal = (
            pl.when(unplaced & exists)
            .then(problem("ambiguous_local_time"))
            .when(unplaced)
            .then(problem("nonexistent_local_time"))
            .otherwise(refusal)
        )
    return (
        frame.with_columns(value.alias(instant))
        .with_columns(
            pl.when(given.is_not_null() & pl.col(instant).is_null()).then(refusal).alias(problem_name)
        )
        .drop(_LOCAL, _INSTANT)
    )


def _placed(local: pl.Expr, zone: str, policy: str) -> pl.Expr:
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    placed = local.dt.replace_time_zone(zone, ambiguous=pl.lit(policy), non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _bounded(milliseconds: pl.Expr) -> pl.Expr:
    return pl.when(milliseconds.is_between(_EARLIEST_MS, _LATEST_MS)).then(milliseconds)


def _columns(*, local: pl.Expr | None = None, instant: pl.Expr | None = None) -> list[pl.Expr]:
    absent = pl.lit(None, dtype=pl.Int64)
    return [
        (absent if local is None else local).alias(_LOCAL),
        (absent if instant is None else instant).alias(_INSTANT),
    ]


def _native_columns(given: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    if not isinstance(dtype, pl.Datetime):
        return _columns(local=given.cast(pl.Date).cast(pl.Datetime("ms")).to_physical())
    milliseconds = given.to_physical() // {"ms": 1, "us": 1_000, "ns": 1_000_000}[dtype.time_unit]
    return _columns(instant=milliseconds) if dtype.time_zone else _columns(local=milliseconds)


def _epoch_columns(given: pl.Expr, unit: str) -> list[pl.Expr]:
    number = _epoch_number(given)
    if unit == "epoch_s":
        # Bounded before it is multiplied: 64 bits would wrap round to a believable time.
        milliseconds = pl.when(number <= _LATEST_MS // 1000).then(number) * 1000
    else:
        milliseconds = number // 1000 if unit == "epoch_us" else number
    return _columns(instant=pl.when(~_is_other_unit(number, unit)).then(milliseconds))


def _epoch_refusal(given: pl.Expr, unit: str) -> pl.Expr:
    return (
        pl.when(_is_other_unit(_epoch_number(given), unit))
        .then(problem("wrong_timestamp_unit"))
        .otherwise(problem("unparseable_timestamp"))
    )


def _epoch_number(given: pl.Expr) -> pl.Expr:
    # The cast alone would read "+1" and "-1"; beyond 64 bits it gives null, as for any other text.
    return pl.when(given.str.contains(r"^[0-9]+$")).then(given).cast(pl.Int64, strict=False)


def _is_other_unit(number: pl.Expr, unit: str) -> pl.Expr:
    return pl.any_horizontal(
        number.is_between(10 ** (digits - 1), min(10**digits, 2**63) - 1)
        for name, digits in _UNIT_DIGITS.items()
        if name != unit
    )


def _iso_columns(given: pl.Expr) -> list[pl.Expr]:
    text = pl.when(given.str.contains(_ISO)).then(given)
    has_seconds = text.str.slice(16, 1) == ":"
    base = pl.concat_str(
        text.str.slice(0, 10),
        pl.lit(" "),
        text.str.slice(11, 5),
        pl.when(has_seconds).then(text.str.slice(16, 3)).otherwise(pl.lit(":00")),
    )
    # Beyond the third digit the fraction is cut: a floor to the millisecond.
    fraction = text.str.extract(r"\.(\d{1,3})", 1).str.pad_end(3, "0").cast(pl.Int64)
    local = _read_ms(base, "%Y-%m-%d %H:%M:%S") + fraction.fill_null(0)
    zone = text.str.slice(16).str.extract_groups(_ISO_OFFSET)
    minutes = zone.struct[1].cast(pl.Int64) * 60 + zone.struct[2].cast(pl.Int64).fill_null(0)
    offset = (
        pl.when(text.str.contains(_ISO_UTC))
        .then(pl.lit(0, dtype=pl.Int64))
        .when(zone.struct[0] == "-")
        .then(-minutes)
        .otherwise(minutes)
    )
    return _columns(
        local=pl.when(offset.is_null()).then(local),
        instant=local - offset * 60_000,
    )


def _pattern_columns(given: pl.Expr, written: str) -> list[pl.Expr]:
    pattern = _chrono_pattern(written)
    if re.search(r"%[:#]?z$", pattern):
        # Python's %z reads a trailing Z; the engine's does not.
        given = given.str.replace(r"[Zz]$", "+00:00")
    milliseconds = _read_ms(given, pattern)
    carries_zone = re.search(r"%[:#]?z", pattern) is not None
    return _columns(instant=milliseconds) if carries_zone else _columns(local=milliseconds)


def _read_ms(text: pl.Expr, pattern: str) -> pl.Expr:
    read = text.str.to_datetime(pattern, time_unit="us", strict=False, cache=False)
    return read.to_physical() // 1000


def _chrono_pattern(written: str) -> str:
    """A strptime pattern as the engine spells it: there `%f` counts nanoseconds, `%.f` is a fraction."""
    return written.replace(".%f", "%.f")
