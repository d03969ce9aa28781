"""Parquet: exact text of every type; times stay times."""

# pyarrow ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.raw_rows import ROW_NUMBER, open_raw
from symbiosys_pipeline_tests.transforms.raw_reading import PARQUET, read


def written(table: pa.Table, *, row_group_size: int = 1000) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=row_group_size)
    return target.getvalue()


def column(values: list[object], kind: pa.DataType) -> bytes:
    return written(pa.table({"k": pa.array(values, kind)}))


ITEM = pa.struct([("id", pa.string()), ("price", pa.decimal128(10, 2)), ("n", pa.int32())])


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["a", "", None], pa.string(), ["a", None, None]),
        (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a"]),
        ([b"caf\xc3\xa9"], pa.binary(), ["café"]),
        ([2**63 - 1, -1, None], pa.int64(), ["9223372036854775807", "-1", None]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([Decimal("12.90"), None], pa.decimal128(10, 2), ["12.90", None]),
        ([Decimal("0.00000001")], pa.decimal128(20, 8), ["0.00000001"]),
        (
            [12.5, 3.0, 1e16, 1e-7, 0.1, None],
            pa.float64(),
            ["12.5", "3.0", "10000000000000000.0", "0.0000001", "0.1", None],
        ),
        ([0.1, 16777216.0, 1e-7, None], pa.float32(), ["0.1", "16777216.0", "0.0000001", None]),
        ([1.5], pa.float16(), ["1.5"]),
        ([["a", "b,c"], [], None], pa.list_(pa.string()), ['["a","b,c"]', "[]", None]),
        ([[1, None]], pa.list_(pa.int64()), ["[1,null]"]),
        ([[Decimal("1.10")]], pa.list_(pa.decimal128(5, 2)), ["[1.10]"]),
        (
            [[{"id": "p1", "price": Decimal("9.90"), "n": 2}]],
            pa.list_(ITEM),
            ['[{"id":"p1","price":9.90,"n":2}]'],
        ),
        ([None, None], pa.null(), [None, None]),
    ],
    ids=[
        "string",
        "dictionary",
        "binary",
        "int",
        "uint",
        "bool",
        "decimal",
        "small_decimal",
        "float",
        "float32",
        "float16",
        "strings",
        "ints",
        "decimals",
        "structs",
        "nothing",
    ],
)
def test_values_keep_their_text(values: list[object], kind: pa.DataType, texts: list[str | None]) -> None:
    reading = read(column(values, kind), PARQUET)
    assert [row[0] for row in reading.rows.values()] == texts


@pytest.mark.parametrize(
    ("value", "kind", "dtype"),
    [
        (datetime(2026, 11, 23, 10, tzinfo=UTC), pa.timestamp("us", "UTC"), pl.Datetime("us", "UTC")),
        (datetime(2026, 11, 23, 10), pa.timestamp("ms"), pl.Datetime("ms")),  # noqa: DTZ001 - naive on purpose
        (date(2026, 11, 23), pa.date32(), pl.Date()),
    ],
    ids=["aware", "naive", "date"],
)
def test_times_stay_times(value: object, kind: pa.DataType, dtype: pl.DataType) -> None:
    (chunk,) = open_raw(io.BytesIO(column([value, None], kind)), PARQUET).chunks()
    assert chunk.rows.schema["k"] == dtype
    assert chunk.rows["k"].to_list() == [value, None]


def test_what_is_no_text_is_refused() -> None:
    values = [b"ok", b"\xff\xfe", b"a\x00", b"ok"]
    reading = read(column(list(values), pa.binary()), PARQUET)
    assert reading.rows == {1: ("ok",), 4: ("ok",)}
    assert reading.reasons == {2: "invalid_utf8", 3: "nul_byte"}


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1 << 20])
def test_rows_are_numbered_across_row_groups(chunk_bytes: int) -> None:
    table = pa.table({"a": [str(number) for number in range(1, 26)], "b": ["x"] * 25})
    reading = read(written(table, row_group_size=4), PARQUET, chunk_bytes=chunk_bytes, columns=["a", "zz"])
    assert reading.header == ("a", "b")
    assert reading.rows == {number: (str(number),) for number in range(1, 26)}


def test_a_dotted_name_is_one_column() -> None:
    table = pa.table({"a": [{"b": 1}], "a.b": ["flat"]})
    assert read(written(table), PARQUET, columns=["a.b"]).rows == {1: ("flat",)}


def test_no_rows_is_valid() -> None:
    raw = open_raw(io.BytesIO(column([], pa.int64())), PARQUET)
    (chunk,) = raw.chunks()
    assert chunk.rows.schema == {"k": pl.String, ROW_NUMBER: pl.Int64}
    assert raw.facts.records == 0


WHOLE = column(["some text"] * 50, pa.string())


@pytest.mark.parametrize(
    ("delivered", "code"),
    [
        (b"", "empty_file"),
        (b"a,b\n1,2\n", "bad_parquet"),
        (WHOLE[:-20], "bad_parquet"),
        (b"PAR1PAR1", "bad_parquet"),
    ],
    ids=["empty", "csv", "cut", "hollow"],
)
def test_what_is_no_parquet_is_refused(delivered: bytes, code: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        read(delivered, PARQUET)
    assert caught.value.code == code


@given(position=st.integers(4, len(WHOLE) - 1), value=st.integers(0, 255))
def test_no_damage_crashes_the_reader(position: int, value: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[position] = value
    try:
        read(bytes(damaged), PARQUET)
    except DeliveryError as error:
        assert error.code == "bad_parquet"
