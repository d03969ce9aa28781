"""NDJSON files to raw rows: one JSON object per line, every value as exact text."""

import json
from collections.abc import Collection, Iterator
from typing import cast

import polars as pl

from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.byte_streams import DeliveredText
from symbiosys_pipeline.transforms.csv_grammar import RECORD_TOO_LONG
from symbiosys_pipeline.transforms.csv_records import INVALID_UTF8, NUL_BYTE
from symbiosys_pipeline.transforms.json_text import NestedTooDeeplyError, NumberText, json_text
from symbiosys_pipeline.transforms.raw_chunks import (
    ROW_NUMBER,
    FileFacts,
    RawChunk,
    RawFile,
    Refusal,
    refused_frame,
    shape_of,
)

MALFORMED_JSON = "malformed_json"
NOT_AN_OBJECT = "not_an_object"

#: The header is taken from this many valid objects.
HEADER_OBJECTS = 1000
#: Without a choice of columns no more keys than these become columns; bounds memory.
_MOST_KEYS = 1000

_Object = dict[str, str | None]


def _no_constant(name: str) -> str:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=NumberText, parse_float=NumberText, parse_constant=_no_constant)


class NdjsonFile(RawFile):
    """A file of one JSON object per line.

    Numbers keep their digits, booleans are `true` and `false`, lists and objects compact JSON text, null and
    the empty string null; of a repeated key the last value holds. Lines of white space only are blank.

    Raises:
        DeliveryError: `empty_file` when opened; what `DeliveredText` raises.
    """

    def __init__(self, text: DeliveredText, record_limit: int, chunk_bytes: int) -> None:
        self._text = text
        self._limit = record_limit
        self._chunk_bytes = chunk_bytes
        self._blank_lines = 0
        self._seen = 0
        self._blocks = self._parsed()
        self._taken: list[_Block] = []
        super().__init__(self._read_header())
        if not self._seen:
            raise DeliveryError("empty_file", "the file holds no records; expected one JSON object per line")

    def _read_header(self) -> tuple[str, ...]:
        keys: dict[str, None] = {}
        objects = 0
        for block in self._blocks:
            self._taken.append(block)
            for row in block.rows[: HEADER_OBJECTS - objects]:
                keys.update(dict.fromkeys(row))
            objects += len(block.rows)
            if objects >= HEADER_OBJECTS:
                break
        return tuple(keys)[:_MOST_KEYS]

    def _read(self, columns: Collection[str] | None) -> Iterator[RawChunk]:
        while self._taken:
            yield self._taken.pop(0).chunk(columns)
        for block in self._blocks:
            yield block.chunk(columns)

    def _parsed(self) -> Iterator["_Block"]:
        for lines in self._lines():
            block = _Block()
            for line in lines:
                if not line.strip(b" \t\r"):
                    self._blank_lines += 1
                    continue
                self._seen += 1
                block.add(self._seen, line[: self._limit], too_long=len(line) > self._limit)
            if block.rows or block.refusals:
                yield block

    def _lines(self) -> Iterator[list[bytes]]:
        """Physical lines, block by block; of a line over the limit only its start."""
        carry = b""
        skipping = False
        while piece := self._text.read(self._chunk_bytes):
            lines = (carry + piece).split(b"\n")
            if skipping and len(lines) > 1:
                del lines[0]
                skipping = False
            carry = b"" if skipping else lines.pop()
            if skipping:
                continue
            if len(carry) > self._limit:
                lines.append(carry)
                carry, skipping = b"", True
            yield lines
        if carry:
            yield [carry]

    def _facts(self, records: int, refused: int) -> FileFacts:
        return FileFacts(
            records=records,
            refused=refused,
            blank_lines=self._blank_lines,
            ends_with_newline=self._text.ends_with_newline,
            compression=self._text.compression,
            encoding=self._text.encoding,
            byte_order_mark=self._text.byte_order_mark,
            size=self._text.size,
        )


class _Block:
    """The objects and the refusals of some lines."""

    def __init__(self) -> None:
        self.rows: list[_Object] = []
        self.numbers: list[int] = []
        self.refusals: list[Refusal] = []

    def add(self, number: int, line: bytes, *, too_long: bool) -> None:
        parsed = RECORD_TOO_LONG if too_long else _parsed_object(line)
        if isinstance(parsed, str):
            self.refusals.append(Refusal(number, parsed, shape_of(line)))
        else:
            self.rows.append(parsed)
            self.numbers.append(number)

    def chunk(self, columns: Collection[str] | None) -> RawChunk:
        names = dict.fromkeys(key for row in self.rows for key in row) if columns is None else columns
        kept = [name for name in names if name != ROW_NUMBER]
        if columns is None:
            kept = kept[:_MOST_KEYS]
        series = [pl.Series(name, [row.get(name) for row in self.rows], dtype=pl.String) for name in kept]
        numbers = pl.Series(ROW_NUMBER, self.numbers, dtype=pl.Int64)
        return RawChunk(pl.DataFrame([*series, numbers]), refused_frame(self.refusals))


def _parsed_object(line: bytes) -> _Object | str:
    """The object's fields as text, or the reason why the line is refused."""
    try:
        value: object = _DECODER.decode(line.decode())
        if not isinstance(value, dict):
            return NOT_AN_OBJECT
        row = {
            key: (member or None) if isinstance(member, str) else _nested_text(member)
            for key, member in cast("dict[str, object]", value).items()
        }
    except UnicodeDecodeError:
        return INVALID_UTF8
    except (ValueError, RecursionError, NestedTooDeeplyError):
        return NUL_BYTE if b"\0" in line else MALFORMED_JSON
    # Only an escape can bring in a lone surrogate, which no text may hold, or a NUL.
    return _escape_problem(row) or row if b"\\u" in line else row


def _escape_problem(row: _Object) -> str | None:
    text = "".join(part for field in row.items() for part in field if part is not None)
    if "\0" in text:
        return NUL_BYTE
    try:
        text.encode()
    except UnicodeEncodeError:
        return MALFORMED_JSON
    return None


def _nested_text(value: object) -> str | None:
    return None if value is None else json_text(value)
