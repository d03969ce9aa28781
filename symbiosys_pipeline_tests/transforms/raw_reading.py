"""Reading delivered bytes in tests, and an independent reading of CSV to compare with."""

import io
from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from symbiosys_pipeline.contracts.profile import Delimiter, FileFormat
from symbiosys_pipeline.transforms.raw_rows import ROW_NUMBER, FileFacts, FileLayout, open_raw

CSV = FileLayout(FileFormat.CSV)
NDJSON = FileLayout(FileFormat.NDJSON)
PARQUET = FileLayout(FileFormat.PARQUET)

Row = tuple[str | None, ...]


class Reading(NamedTuple):
    """A whole file: header, rows by row number, reasons and shapes by row number, facts."""

    header: tuple[str, ...]
    rows: dict[int, Row]
    reasons: dict[int, str]
    shapes: dict[int, str]
    facts: FileFacts


def read(
    delivered: bytes,
    layout: FileLayout = CSV,
    *,
    chunk_bytes: int = 1 << 20,
    record_limit: int = 1 << 20,
    columns: Collection[str] | None = None,
) -> Reading:
    """Read a file to its end and check the books that hold for every file."""
    raw = open_raw(io.BytesIO(delivered), layout, chunk_bytes=chunk_bytes, record_limit=record_limit)
    rows: dict[int, Row] = {}
    reasons: dict[int, str] = {}
    shapes: dict[int, str] = {}
    for chunk in raw.chunks(columns):
        numbers = chunk.rows[ROW_NUMBER].to_list()
        assert chunk.rows.schema[ROW_NUMBER] == pl.Int64
        assert chunk.refused.schema == {"row_number": pl.Int64, "reason": pl.String, "text": pl.String}
        assert numbers == sorted(numbers)
        assert not rows.keys() & set(numbers)
        rows |= dict(zip(numbers, chunk.rows.drop(ROW_NUMBER).rows(), strict=True))
        if not chunk.rows.drop(ROW_NUMBER).width:
            rows |= dict.fromkeys(numbers, ())
        for number, reason, text in chunk.refused.rows():
            reasons[number], shapes[number] = reason, text
    facts = raw.facts
    assert sorted([*rows, *reasons]) == list(range(1, facts.records + 1))
    assert facts.refused == len(reasons)
    return Reading(raw.header, rows, reasons, shapes, facts)


def csv_oracle(body: bytes, delimiter: Delimiter, width: int, limit: int) -> tuple[list[Row | str], int]:
    """What follows a CSV header, read byte by byte: values or the reason of each record, and the blank lines.

    Written without regular expressions or vectors, to be compared with the reader.
    """
    separator = ord(delimiter.value)
    outcomes: list[Row | str] = []
    blank_lines = 0
    position = 0
    while position < len(body):
        fields, end = _record(body, position, separator)
        if fields is None or end - position > limit:
            newline = body.find(b"\n", position)
            end = len(body) if newline < 0 else newline
            outcomes.append("record_too_long" if end - position > limit else "malformed_quotes")
        elif body[position:end] in (b"", b"\r"):
            blank_lines += 1
        else:
            outcomes.append(_outcome(body[position:end].removesuffix(b"\r"), fields, width))
        position = end + 1
    return outcomes, blank_lines


def _outcome(record: bytes, fields: list[bytes], width: int) -> Row | str:
    if b"\0" in record:
        return "nul_byte"
    try:
        values = tuple(field.decode() or None for field in fields)
    except UnicodeDecodeError:
        return "invalid_utf8"
    if len(values) == width:
        return values
    return "too_few_fields" if len(values) < width else "too_many_fields"


def _record(body: bytes, start: int, separator: int) -> tuple[list[bytes] | None, int]:
    """Field values and end of the record at `start`; None for broken quotes."""
    fields: list[bytes] = []
    at = start
    while True:
        value = bytearray()
        if at < len(body) and body[at] == ord('"'):
            at += 1
            while True:
                if at >= len(body):
                    return None, at
                if body[at] == ord('"'):
                    if body[at + 1 : at + 2] != b'"':
                        break
                    at += 1
                value.append(body[at])
                at += 1
            at += 1
            if body[at : at + 1] == b"\r" and body[at + 1 : at + 2] in (b"", b"\n"):
                at += 1
            if at < len(body) and body[at] not in (separator, ord("\n")):
                return None, at
        else:
            while at < len(body) and body[at] not in (separator, ord("\n")):
                value.append(body[at])
                at += 1
            if (at >= len(body) or body[at] == ord("\n")) and value.endswith(b"\r"):
                del value[-1]
        fields.append(bytes(value))
        if at >= len(body) or body[at] == ord("\n"):
            return fields, at
        at += 1
