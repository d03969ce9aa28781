"""Parquet files to raw rows: scalars as exact text, times as they are, nested values as JSON text."""

# pyarrow ships no types: what comes out of it is given one where it leaves this module.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from collections.abc import Collection, Iterator
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from symbiosys_pipeline.contracts.profile import Compression
from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.csv_records import INVALID_UTF8, NUL_BYTE
from symbiosys_pipeline.transforms.json_text import float_text, json_text
from symbiosys_pipeline.transforms.raw_chunks import (
    ROW_NUMBER,
    FileFacts,
    RawChunk,
    RawFile,
    Refusal,
    readable_columns,
    refused_frame,
)

_FEWEST_ROWS, _MOST_ROWS = 1, 131_072
_PAR1 = b"PAR1"


class ParquetFile(RawFile):
    """A Parquet file.

    Strings stay; integers, decimals and booleans become their exact text (`true`, `12.90`), floats their
    shortest text without exponent (`3.0`), lists, structs and maps JSON text; Datetime and Date columns stay
    as they are. Binary values must be UTF-8 text. Empty strings are null.

    Raises:
        DeliveryError: `empty_file`, `bad_parquet`, here or while reading.
    """

    def __init__(self, stream: BinaryIO, chunk_bytes: int) -> None:
        self._size = stream.seek(0, 2)
        if not self._size:
            raise DeliveryError("empty_file", "the file holds no bytes; expected a Parquet file")
        stream.seek(0)
        if stream.read(4) != _PAR1:
            raise DeliveryError(
                "bad_parquet",
                "the file does not begin like Parquet. Correct the source's format, or the file",
            )
        stream.seek(0)
        try:
            self._file = pq.ParquetFile(stream)
            names = tuple(self._file.schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise _bad_parquet() from error
        self._batch_rows = self._rows_within(chunk_bytes)
        super().__init__(names)

    def _rows_within(self, chunk_bytes: int) -> int:
        groups = self._file.metadata.num_row_groups
        size = sum(self._file.metadata.row_group(index).total_byte_size for index in range(groups))
        width = max(1, size // max(1, self._file.metadata.num_rows))
        return min(max(chunk_bytes // width, _FEWEST_ROWS), _MOST_ROWS)

    def _read(self, columns: Collection[str] | None) -> Iterator[RawChunk]:
        positions = readable_columns(self.header, columns)
        # The reader takes paths, in which a dot means a member of a struct: such files are read whole.
        chosen = None if any("." in name for name in self.header) else list(positions)
        seen = 0
        for batch in self._batches(chosen):
            yield _raw_chunk(batch, list(positions), seen)
            seen += batch.num_rows
        if not seen:
            yield _raw_chunk(self._file.schema_arrow.empty_table(), list(positions), seen)

    def _batches(self, chosen: list[str] | None) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(self._batch_rows, columns=chosen)
        except (pa.ArrowException, OSError) as error:
            raise _bad_parquet() from error

    def _facts(self, records: int, refused: int) -> FileFacts:
        return FileFacts(
            records=records,
            refused=refused,
            blank_lines=0,
            ends_with_newline=None,
            compression=Compression.NONE,
            encoding=None,
            byte_order_mark=False,
            size=self._size,
        )


def _bad_parquet() -> DeliveryError:
    return DeliveryError(
        "bad_parquet",
        "the Parquet file cannot be read: cut short or corrupt. Write it again and deliver it whole",
    )


def _raw_chunk(batch: pa.RecordBatch | pa.Table, names: list[str], seen: int) -> RawChunk:
    problems: dict[int, tuple[str, str]] = {}
    series = [_column(batch.column(batch.schema.names.index(name)), name, problems) for name in names]
    numbers = pl.Series(ROW_NUMBER, range(seen + 1, seen + batch.num_rows + 1), dtype=pl.Int64)
    rows = pl.DataFrame([*series, numbers])
    if problems:
        rows = rows.filter(~pl.col(ROW_NUMBER).is_in([seen + 1 + index for index in problems]))
    refusals = [
        Refusal(seen + 1 + index, reason, f"column {name[:64]}")
        for index, (reason, name) in sorted(problems.items())
    ]
    return RawChunk(rows, refused_frame(refusals))


def _column(values: pa.Array | pa.ChunkedArray, name: str, problems: dict[int, tuple[str, str]]) -> pl.Series:
    """The column as text or time; rows that cannot be text are added to the problems, first come."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return cast("pl.Series", pl.from_arrow(array)).alias(name)
    if _is_bytes_or_text(kind):
        texts, undecodable = _texts(array)
        for index in undecodable:
            problems.setdefault(index, (INVALID_UTF8, name))
    else:
        texts = _written(array)
    series = pl.Series(name, texts, dtype=pl.String)
    for index in series.str.contains("\0", literal=True).fill_null(value=False).arg_true():
        problems.setdefault(index, (NUL_BYTE, name))
    return series.to_frame().select(pl.when(pl.col(name) != "").then(pl.col(name))).to_series().alias(name)


def _is_bytes_or_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _texts(array: pa.Array) -> tuple[pl.Series | list[str | None], list[int]]:
    """Text of a string or binary column, and the rows that are not UTF-8 (whose text is null)."""
    octets = array.cast(pa.large_binary())
    try:
        text = octets.cast(pa.large_string())
    except pa.ArrowInvalid:
        pass  # some value is not UTF-8: told apart below
    else:
        return cast("pl.Series", pl.from_arrow(text)), []
    texts: list[str | None] = []
    undecodable: list[int] = []
    for index, value in enumerate(cast("list[bytes | None]", octets.to_pylist())):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            texts.append(None)
            undecodable.append(index)
    return texts, undecodable


def _written(array: pa.Array) -> pl.Series | list[str | None]:
    kind = array.type
    if pa.types.is_floating(kind):
        floats = cast("pl.Series", pl.from_arrow(array))
        texts = floats.cast(pl.String)
        large_or_small = texts.str.contains("e", literal=True).fill_null(value=False)
        if not large_or_small.any():
            return texts
        # as numpy scalars of the column's own width: 1e-7 of 32 bits is not 1e-7 of 64
        return [
            float_text(value) if exponent else text
            for value, exponent, text in zip(floats.to_numpy(), large_or_small, texts, strict=True)
        ]
    if pa.types.is_nested(kind) or pa.types.is_decimal(kind):
        return [None if value is None else json_text(value) for value in array.to_pylist()]
    return cast("pl.Series", pl.from_arrow(array.cast(pa.large_string())))
