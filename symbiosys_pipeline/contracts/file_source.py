"""`FileSource`: where one folder of file dumps lies and how its files are written. Nothing is read here.

What is common to all parts of a client profile (`Written`, `TimeZone`) lies here too, because a source is the
lowest of them.
"""

import re
from datetime import date, time
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from symbiosys_pipeline.contracts.file_pattern import FilePattern
from symbiosys_pipeline.contracts.time_pattern import check_time_pattern

EPOCHS = ("epoch_ms", "epoch_s", "epoch_us")


class FileFormat(StrEnum):
    """How a delivered file is written."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


class Compression(StrEnum):
    """How a delivered file is compressed; `auto` reads its first bytes."""

    AUTO = "auto"
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class Encoding(StrEnum):
    """The text encoding of a delivered file; a byte-order mark is always accepted."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WINDOWS_1252 = "windows-1252"
    ISO_8859_1 = "iso-8859-1"


class Delimiter(StrEnum):
    """What separates the fields of a CSV file."""

    COMMA = ","
    TAB = "\t"
    SEMICOLON = ";"
    PIPE = "|"


class DecimalSeparator(StrEnum):
    """What separates units from fractions in a price."""

    POINT = "."
    COMMA = ","


class Cadence(StrEnum):
    """How often a client delivers."""

    HOURLY = "hourly"
    DAILY = "daily"


class AmbiguousTime(StrEnum):
    """What a local time means that a clock change makes happen twice (or never: always refused)."""

    REFUSE = "refuse"
    EARLIEST = "earliest"
    LATEST = "latest"


#: What a file's name says about its format, compression endings aside; other endings say nothing.
_FORMAT_OF_ENDING = {
    "csv": FileFormat.CSV,
    "tsv": FileFormat.CSV,
    "json": FileFormat.NDJSON,
    "jsonl": FileFormat.NDJSON,
    "ndjson": FileFormat.NDJSON,
    "parquet": FileFormat.PARQUET,
}
_ENDING = re.compile(r"\.([a-z]+)(?:\.(?:gz|gzip|zst|zstd))?$", re.IGNORECASE)


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ) as error:  # OSError: a folder of zones, such as Europe
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"expected an IANA time zone such as Europe/Paris or UTC{hint}") from error
    return name


def _written_day(value: object) -> date:
    # Only this one of the many forms pydantic takes: 20260131 would be a second of 1970.
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("expected a day of the calendar, such as 2026-01-31") from error
    raise ValueError("expected a day such as 2026-01-31")


def _written_clock(value: object) -> object:
    # YAML reads 12:00 without quotes as the number 720, which pydantic would take for 00:12.
    if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(_CLOCK, value)):
        return value
    raise ValueError('expected a local time such as "12:00", in quotes')


def _whole_seconds(value: time) -> time:
    if value.tzinfo is not None or value.microsecond:
        raise ValueError('expected a local time such as "12:00", without zone and fraction')
    return value


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"

TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
WholeNumber = Annotated[int, Strict()]
Day = Annotated[date, BeforeValidator(_written_day)]
ClockTime = Annotated[
    time,
    BeforeValidator(_written_clock),
    AfterValidator(_whole_seconds),
    WithJsonSchema({"type": "string", "pattern": _CLOCK}),
]


class Written(BaseModel):
    """Base of all a person writes: unknown fields are mistakes, values never change nor appear in errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class TimestampFormat(Written):
    """How the client writes the time of an event. Never guessed (CONTRACT 2.1)."""

    format: str = "epoch_ms"
    """`epoch_ms`, `epoch_s`, `epoch_us`, `iso8601`, or a strptime pattern such as `%d/%m/%Y %H:%M:%S`."""
    time_zone: TimeZone = "UTC"
    """IANA zone of times that carry no offset of their own."""
    offset_seconds: WholeNumber = Field(default=0, ge=-86_400, le=86_400)
    """Seconds subtracted from every time, for a clock known to run ahead (CONTRACT 5)."""
    ambiguous: AmbiguousTime = AmbiguousTime.REFUSE
    """Which instant a local time means that a clock change repeats."""

    @field_validator("format")
    @classmethod
    def _is_a_format(cls, value: str) -> str:
        if value not in (*EPOCHS, "iso8601"):
            check_time_pattern(value)
        return value


class Due(Written):
    """By when a delivery day's files must have arrived, in the client's time zone."""

    days_after: WholeNumber = Field(default=1, ge=0, le=31)
    """Days after the delivery day."""
    at: ClockTime = time(12, 0)
    """Local time of that day, in quotes: "12:00"."""


class FileSource(Written):
    """One folder of file dumps of one dataset."""

    name: str = Field(default="files", pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """Tells several sources of one dataset apart, e.g. `web` and `app`."""
    location: str = Field(min_length=1)
    """Folder or bucket: an absolute path, a path relative to the pipeline's home, or a URL."""
    pattern: str
    """Object name below the location, e.g. `visits/acme_visits_{YYYYMMDD}.csv.gz`. `*` matches within one
    folder; `{YYYY} {MM} {DD} {HH}` or `{YYYYMMDD}` tell the delivery day."""
    format: FileFormat = Field(default=FileFormat.CSV, validate_default=True)
    """csv, ndjson or parquet."""
    delimiter: Delimiter = Delimiter.COMMA
    """Comma, tab, semicolon or pipe (CSV only)."""
    compression: Compression = Compression.AUTO
    """auto, none, gzip or zstd."""
    encoding: Encoding = Encoding.UTF_8
    """The text encoding (CSV and NDJSON)."""
    decimal_separator: DecimalSeparator = DecimalSeparator.POINT
    """What separates units from fractions in prices."""
    cadence: Cadence = Cadence.DAILY
    """How often files arrive."""
    due: Due = Due()
    """By when a day's files must have arrived."""
    timestamp: TimestampFormat = TimestampFormat()
    """How the time of an event is written."""
    mapping: dict[str, str] = Field(default_factory=dict)
    """Contract field -> the client's column name, where the two differ."""
    allowed_lateness_days: WholeNumber | None = Field(default=None, ge=0, le=4000)
    """Overrides the client's lateness window, e.g. for a folder of history."""

    @field_validator("location")
    @classmethod
    def _holds_no_secret(cls, value: str) -> str:
        if "://" in value:
            url = urlsplit(value)
            if url.password is not None or url.query:
                raise ValueError(
                    "expected a URL without a password or signature; credentials come from the environment"
                )
        return value

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        FilePattern.parse(value)
        return value

    @field_validator("format")
    @classmethod
    def _is_what_the_name_says(cls, value: FileFormat, info: ValidationInfo) -> FileFormat:
        ending = _ENDING.search(str(info.data.get("pattern", "")))
        told = _FORMAT_OF_ENDING.get(ending[1].lower()) if ending else None
        if told is not None and told is not value:
            raise ValueError(f"expected {told.value}, as the ending of the pattern says, not {value.value}")
        return value
