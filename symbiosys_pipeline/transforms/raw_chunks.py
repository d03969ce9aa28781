"""What every reader of delivered bytes hands on: the layout, the chunks of raw rows and the file's facts.

Only the shared vocabulary belongs here; how a format is read is in `csv_rows`, `ndjson_rows`, `parquet_rows`.
"""

import re
import string
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from symbiosys_pipeline.contracts.profile import Compression, Delimiter, Encoding, FileFormat, FileSource

#: Column of a raw row's 1-based ordinal among the file's records: the header and blank lines are not counted,
#: refused records are.
ROW_NUMBER = "__row_number"

#: How many bytes of a file are looked at together, unless the caller says otherwise.
CHUNK_BYTES = 32 * 1024 * 1024

#: The longest record accepted, in bytes of UTF-8 without its line end. Bounds memory.
RECORD_LIMIT = 1024 * 1024

_REFUSED_SCHEMA: dict[str, pl.DataType] = {
    "row_number": pl.Int64(),
    "reason": pl.String(),
    "text": pl.String(),
}
_SHAPE_CHARACTERS = 500
#: 500 characters never need more than 2,000 bytes of UTF-8.
_SHAPE_BYTES = 4 * _SHAPE_CHARACTERS
_ASCII_SHAPE = str.maketrans(
    dict.fromkeys(string.ascii_letters, "x") | dict.fromkeys(string.digits, "9") | {"\0": "\ufffd"}
)
_BEYOND_ASCII = re.compile("[^\x00-\x7f\ufffd]")


@dataclass(frozen=True)
class FileLayout:
    """How a client's file is written, as its profile declares it (CONTRACT 3)."""

    format: FileFormat
    delimiter: Delimiter = Delimiter.COMMA
    compression: Compression = Compression.AUTO
    encoding: Encoding = Encoding.UTF_8

    @classmethod
    def of(cls, source: FileSource) -> "FileLayout":
        """The layout one source declares."""
        return cls(source.format, source.delimiter, source.compression, source.encoding)


class RawChunk(NamedTuple):
    """Some consecutive records of a file; every record is in exactly one of the two frames.

    Attributes:
        rows: The client's columns under their header names (String; from Parquet also Datetime and Date),
            absent and empty values null, untrimmed; and `ROW_NUMBER` Int64, ascending.
        refused: Structurally broken records: `row_number` Int64 ascending, `reason` String, `text` String
            (the record's shape, its content masked).
    """

    rows: pl.DataFrame
    refused: pl.DataFrame


class Refusal(NamedTuple):
    """One broken record: its row number, the reason and the masked shape of its text."""

    row_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class FileFacts:
    """What is known of a file once it was read to its end.

    Attributes:
        records: Records after the header, the refused ones included.
        refused: Structurally broken records.
        blank_lines: Lines skipped because they were empty.
        ends_with_newline: Whether the last byte ends a line; False hints at a half-written file. None for
            formats without lines.
        compression: The compression found.
        encoding: The text encoding found; None for Parquet.
        byte_order_mark: Whether the text began with one.
        size: Bytes after decompression; for Parquet the bytes of the file.
    """

    records: int
    refused: int
    blank_lines: int
    ends_with_newline: bool | None
    compression: Compression
    encoding: Encoding | None
    byte_order_mark: bool
    size: int


class RawFile(ABC):
    """One delivered file, readable once from start to end.

    Attributes:
        header: The client's column names, known before the rows are read. For NDJSON: the keys of the first
            1,000 objects.
    """

    def __init__(self, header: tuple[str, ...]) -> None:
        self.header = header
        self._started = False
        self._finished = False
        self._records = 0
        self._refused = 0

    def chunks(self, columns: Collection[str] | None = None) -> Iterator[RawChunk]:
        """The file's records in order, at least one chunk (maybe of no rows).

        Args:
            columns: Only these of the client's columns are read; all when None. NDJSON yields every column
                asked for (null where no object has it), the other formats those the header has.

        Raises:
            DeliveryError: The file turns out unusable as a whole, maybe after some chunks: what came before
                must then be thrown away.
            RuntimeError: The file was read before.
        """
        if self._started:
            raise RuntimeError("a raw file is read once; open it again")
        self._started = True
        for chunk in self._read(columns):
            self._records += chunk.rows.height + chunk.refused.height
            self._refused += chunk.refused.height
            yield chunk
        self._finished = True

    @property
    def facts(self) -> FileFacts:
        """The file's facts; `RuntimeError` before its last chunk was taken."""
        if not self._finished:
            raise RuntimeError("a file's facts are known once all its chunks were taken")
        return self._facts(self._records, self._refused)

    @abstractmethod
    def _read(self, columns: Collection[str] | None) -> Iterator[RawChunk]: ...

    @abstractmethod
    def _facts(self, records: int, refused: int) -> FileFacts: ...


def shape_of(record: bytes) -> str:
    """The shape of a broken record without its content, at most 500 characters.

    Letters become x, digits 9, anything else beyond ASCII x; delimiters, quotes, blanks and punctuation stay;
    NUL and undecodable bytes become U+FFFD. The original bytes stay in landing.
    """
    text = record[:_SHAPE_BYTES].decode("utf-8", errors="replace")[:_SHAPE_CHARACTERS]
    return _BEYOND_ASCII.sub("x", text).translate(_ASCII_SHAPE)


def refused_frame(refusals: Sequence[Refusal]) -> pl.DataFrame:
    """The `RawChunk.refused` frame of some broken records."""
    return pl.DataFrame(refusals, schema=_REFUSED_SCHEMA, orient="row")


def readable_columns(header: Sequence[str], columns: Collection[str] | None) -> dict[str, int]:
    """Column name -> position of the columns to read: the asked ones, of repeated names the first."""
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        if name != ROW_NUMBER and (columns is None or name in columns):
            positions.setdefault(name, position)
    return positions
