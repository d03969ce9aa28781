"""File patterns: a name tells the day it was made for, and everything that is no pattern is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.file_pattern import FilePattern

DAY = date(2026, 1, 5)

_LITERALS = st.text("abcxyz_.-/", max_size=6)
_STARS = st.text("abc_.0123456789", max_size=6)


@given(
    day=st.dates(),
    literals=st.lists(_LITERALS, min_size=5, max_size=5),
    order=st.permutations(["{YYYY}", "{MM}", "{DD}"]),
    hour=st.integers(0, 23),
)
def test_a_rendered_day_comes_back(day: date, literals: list[str], order: list[str], hour: int) -> None:
    parts = {
        "{YYYY}": f"{day.year:04}",
        "{MM}": f"{day.month:02}",
        "{DD}": f"{day.day:02}",
        "{HH}": f"{hour:02}",
    }
    pieces = [*order, "{HH}"]
    text = "x" + "".join(literal + piece for literal, piece in zip(literals, pieces, strict=False)) + "x"
    name = text
    for placeholder, value in parts.items():
        name = name.replace(placeholder, value)
    try:
        pattern = FilePattern.parse(text)
    except ValueError as error:
        assert "folders and a file name" in str(error)  # the literals made // or /../
        return
    assert pattern.matches(name)
    assert pattern.delivery_day(name) == day
    assert name.startswith(pattern.prefix)
    assert name.startswith(pattern.prefix_on(day))


@given(day=st.dates(), before=st.text("abc_.", max_size=6), after=_STARS)
def test_the_leftmost_digits_that_fit_are_the_day(day: date, before: str, after: str) -> None:
    name = f"{before}{day.year:04}{day.month:02}{day.day:02}{after}"
    assert FilePattern.parse("*{YYYYMMDD}*").delivery_day(name) == day


@pytest.mark.parametrize(
    ("text", "name", "matches"),
    [
        pytest.param("v_*.csv", "v_.csv", True, id="star-may-be-nothing"),
        pytest.param("v_*.csv", "v_a.b.csv", True, id="star-takes-dots"),
        pytest.param("v_*.csv", "v_a/b.csv", False, id="star-stays-in-its-folder"),
        pytest.param("*/v.csv", "eu/v.csv", True, id="star-as-folder"),
        pytest.param("*/v.csv", "eu/west/v.csv", False, id="star-is-one-folder"),
        pytest.param("v.csv", "vxcsv", False, id="dot-is-a-dot"),
        pytest.param("v.csv", "v.csv.tmp", False, id="whole-name"),
        pytest.param("v.csv", "V.csv", False, id="case-counts"),
        pytest.param("v?.csv", "v1.csv", False, id="question-mark-is-itself"),
        pytest.param("v_{YYYYMMDD}.csv", "v_2026015.csv", False, id="seven-digits"),
        pytest.param("v_{YYYYMMDD}.csv", "v_٢٠٢٦٠١٠٥.csv", False, id="digits-of-another-script"),
    ],
)
def test_what_belongs_to_a_source(text: str, name: str, matches: bool) -> None:
    assert FilePattern.parse(text).matches(name) is matches


@pytest.mark.parametrize("digits", ["20260231", "20261301", "20260100", "00000101"])
def test_a_name_whose_digits_are_no_day_belongs_to_the_source_and_tells_no_day(digits: str) -> None:
    pattern = FilePattern.parse("v_{YYYYMMDD}.csv")
    assert pattern.matches(f"v_{digits}.csv")
    assert pattern.delivery_day(f"v_{digits}.csv") is None


@pytest.mark.parametrize(
    ("text", "prefix", "prefix_on"),
    [
        ("v.csv", "", ""),
        ("in/v_{YYYYMMDD}.csv", "in/", "in/"),
        ("in/v/{YYYY}/{MM}/{DD}/x.csv", "in/v/", "in/v/2026/01/05/"),
        ("in/{YYYY}-{MM}/{DD}_{HH}.csv", "in/", "in/2026-01/"),
        ("in/*/{YYYYMMDD}/x.csv", "in/", "in/"),
        ("{YYYYMMDD}/{HH}/x.csv", "", "20260105/"),
        ("raw*/x.csv", "", ""),
    ],
)
def test_the_folders_to_list(text: str, prefix: str, prefix_on: str) -> None:
    pattern = FilePattern.parse(text)
    assert (pattern.prefix, pattern.prefix_on(DAY)) == (prefix, prefix_on)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "below the location"),
        ("/v.csv", "not starting with /"),
        ("a//v.csv", "single slashes"),
        ("a/", "single slashes"),
        ("../v.csv", "without . and .."),
        ("a\\v.csv", "expected /"),
        ("a/**/v.csv", "single *"),
        ("v_{DATE}.csv", "unknown placeholder '{DATE}'"),
        ("v_{yyyymmdd}.csv", "unknown placeholder"),
        ("v_{YYYYMMDD.csv", "unknown placeholder"),
        ("v_YYYYMMDD}.csv", "unknown placeholder"),
        ("v_{{YYYYMMDD}}.csv", "unknown placeholder"),
        ("{YYYY}/{YYYYMMDD}.csv", "repeats"),
        ("{YYYY}/{MM}/v.csv", "year, month and day together"),
    ],
)
def test_no_pattern(text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        FilePattern.parse(text)
    assert said in str(error.value)
