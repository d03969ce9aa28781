"""Time patterns: what tells an instant to the minute is taken, everything else is refused by name."""

import re
from datetime import UTC, datetime

import polars as pl
import pytest

from symbiosys_pipeline.contracts.time_pattern import check_time_pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%Y-%m-%d %H:%M:%S", "2026-01-05 13:02:03"),
        ("%F %T", "2026-01-05 13:02:03"),
        ("%d/%b/%Y:%H:%M:%S %z", "05/Jan/2026:13:02:03 +0000"),
        ("%Y-%m-%dT%H:%M:%S%:z", "2026-01-05T13:02:03+00:00"),
        ("%m/%d/%y %I:%M:%S %p", "01/05/26 01:02:03 PM"),
        ("%-d.%-m.%Y %-H:%M:%S", "5.1.2026 13:02:03"),
        ("%A, %d %B %Y %k:%M:%S", "Monday, 05 January 2026 13:02:03"),
        ("%D %l:%M:%S %P", "01/05/26  1:02:03 pm"),
        ("%e-%h-%Y %H:%M:%S.%3f", " 5-Jan-2026 13:02:03.000"),
        ("%Y-%j %H%%%M %S", "2026-005 13%02 03"),
    ],
)
def test_a_pattern_that_is_taken_is_read_by_the_engine(pattern: str, text: str) -> None:
    check_time_pattern(pattern)
    read = pl.Series([text]).str.to_datetime(pattern).dt.replace_time_zone(None)
    assert read.dt.replace_time_zone("UTC").to_list() == [datetime(2026, 1, 5, 13, 2, 3, tzinfo=UTC)]


@pytest.mark.parametrize(
    "pattern", ["%F %R", "%Y%j %H%M", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%.f", "%Y%m%d%H%M%S%3f"]
)
def test_seconds_may_be_missing_or_have_a_fraction(pattern: str) -> None:
    check_time_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "expected epoch_ms"),
        ("ms", "expected epoch_ms"),
        ("yyyy-MM-dd HH:mm", "expected epoch_ms"),
        ("%Y-%m-%d", "lacks hour, minute"),
        ("%d/%m %H:%M", "lacks year"),
        ("%Y %H:%M", "lacks month, day"),
        ("%H:%M", "lacks year, month, day"),
        ("%Y-%m-%d %I:%M", "%I together with %p"),
        ("%Y-%m-%d %H:%M %p", "%H alone"),
        ("%Y-%m-%d %H:%m", "told twice: month"),
        ("%F %Y %H:%M", "told twice: year"),
        ("%Y-%m-%d %H:%M %Z", "unknown directive '%Z'"),
        ("%s", "unknown directive '%s'"),
        ("%F %R:%S", "expected %T"),
        ("%c", "unknown directive '%c'"),
        ("%Y-%m-%d %H:%M:%S%f", "unknown directive '%f'"),
        ("%Y-%m-%d %H:%M %", "unknown directive '%'"),
        ("%Y-%m-%d %H:%M %Ä", "unknown directive"),
    ],
)
def test_a_pattern_that_tells_too_little_or_too_much_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        check_time_pattern(pattern)
