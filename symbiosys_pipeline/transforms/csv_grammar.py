"""The CSV this project accepts, exactly: where a record ends, what its fields are, which quotes are broken.

RFC 4180 with what retailers' files really hold:

* a record ends at LF or CRLF; a lone CR is text;
* a field that begins with a quote is quoted: it ends at the next quote that is not doubled, which a delimiter
  or the record's end must follow; it may hold delimiters and line ends;
* any other field is literal up to the next delimiter or line end, quotes inside it (5" screen) included;
* a record with a broken quoted field (text after its closing quote, or no end within the limit) is refused
  up to the end of its *first physical line* only, so that the lines after it survive;
* a physical line longer than the limit is refused as a whole.

This is the slow, readable truth; `csv_records` reads clean blocks by a faster way to the same result.
"""

import re
from typing import NamedTuple

from symbiosys_pipeline.contracts.profile import Delimiter

MALFORMED_QUOTES = "malformed_quotes"
RECORD_TOO_LONG = "record_too_long"


class RecordSpan(NamedTuple):
    """Where one record lies.

    Attributes:
        end: Position behind its last byte, the LF not included.
        next: Position of the next record.
        reason: Why it is refused, or None.
        continues: Whether the rest of its physical line is still to come and must be skipped.
    """

    end: int
    next: int
    reason: str | None = None
    continues: bool = False


class CsvGrammar:
    """The grammar compiled for one delimiter and one record limit (bytes)."""

    def __init__(self, delimiter: Delimiter, limit: int) -> None:
        self.delimiter = delimiter.value.encode("ascii")
        self.limit = limit
        between = re.escape(self.delimiter)
        # Possessive throughout: no backtracking, so time is linear in the record.
        quoted = rb'"(?:[^"]++|"")*+"(?=' + between + rb"|\r?\n|\r?\Z)"
        plain = rb'(?!")[^' + between + rb"\n]*+"
        field = rb"(?:" + quoted + rb"|" + plain + rb")"
        self._record = re.compile(field + rb"(?:" + between + field + rb")*+\r?+(?=\n|\Z)")
        self._field = re.compile(b"(" + field + b")(?:" + between + rb"|\Z)")

    def next_record(self, buffer: bytes, start: int, *, final: bool) -> RecordSpan | None:
        """The record that begins at `start`; None when more bytes are needed to tell.

        Args:
            buffer: Some of the file's bytes, `start` before their end.
            start: Where the record begins.
            final: Whether the buffer reaches to the end of the file.
        """
        length = len(buffer)
        window = min(start + self.limit + 1, length)
        match = self._record.match(buffer, start, window)
        if match is not None and match.end() < window:
            return RecordSpan(match.end(), match.end() + 1)
        whole = length - start <= self.limit
        if whole and not final:
            return None
        if whole and match is not None:
            return RecordSpan(length, length)
        return self._broken_line(buffer, start, final=final)

    def _broken_line(self, buffer: bytes, start: int, *, final: bool) -> RecordSpan:
        """The physical line of a record that does not end as it should."""
        line_end = buffer.find(b"\n", start)
        end = line_end if line_end >= 0 else len(buffer)
        reason = MALFORMED_QUOTES if end - start <= self.limit else RECORD_TOO_LONG
        if line_end >= 0:
            return RecordSpan(end, end + 1, reason)
        return RecordSpan(end, end, reason, continues=not final)

    def fields(self, record: bytes) -> list[bytes]:
        """The fields of a well-formed record without its line end, as written (quotes kept)."""
        found: list[bytes] = []
        position = 0
        while True:
            match = self._field.match(record, position)
            if match is None:
                raise ValueError("not a well-formed record")
            found.append(match[1])
            if match.end() == match.end(1):
                return found
            position = match.end()


def unquoted(field: bytes) -> bytes:
    """A field's value: without its quotes where it is quoted."""
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field


def requoted(field: bytes) -> bytes:
    """The field so that any RFC 4180 reader takes it literally: quoted where it holds a quote or a CR."""
    if field.startswith(b'"') or (b'"' not in field and b"\r" not in field):
        return field
    return b'"' + field.replace(b'"', b'""') + b'"'
