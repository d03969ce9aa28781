"""Cutting blocks of CSV bytes into records: which are good, which are refused and why, with their numbers.

A block that is clean is proven so by a vectorized scan of its structural bytes, and its bytes pass on as they
are. Any other block goes record by record through `csv_grammar`. Both give the same result for the same
bytes, so the size of the blocks changes nothing.
"""

import codecs
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from symbiosys_pipeline.transforms.csv_grammar import RECORD_TOO_LONG, CsvGrammar, requoted
from symbiosys_pipeline.transforms.raw_chunks import Refusal, shape_of

TOO_FEW_FIELDS = "too_few_fields"
TOO_MANY_FIELDS = "too_many_fields"
NUL_BYTE = "nul_byte"
INVALID_UTF8 = "invalid_utf8"

_BOM = codecs.BOM_UTF8
_DECODED_BYTES = 1024 * 1024
#: Small enough that one wrong record costs little, large enough for the vectorized scan to pay.
_PART_BYTES = 64 * 1024
_LF, _CR, _QUOTE = 10, 13, 34

_Positions = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


class RecordBlock(NamedTuple):
    """The records of one block.

    Attributes:
        good: The good records' bytes, RFC 4180, valid UTF-8, each (but maybe the last) with its line end.
        row_numbers: Row number of each good record.
        refusals: The broken records, ascending.
        blank_lines: Lines skipped because they were empty.
        consumed: Bytes of the buffer that are dealt with; the rest begins a record.
        quoted: Whether any quote is in `good`.
    """

    good: bytes
    row_numbers: _Positions
    refusals: list[Refusal]
    blank_lines: int
    consumed: int
    quoted: bool


class _Extents(NamedTuple):
    """Start and end of each physical record of a clean block, and the fields each has."""

    starts: _Positions
    ends: _Positions
    fields: _Positions


class RecordScanner:
    """Scans the blocks of one file in order; remembers how many records it has seen."""

    def __init__(self, grammar: CsvGrammar, field_count: int) -> None:
        self._grammar = grammar
        self._field_count = field_count
        self._delimiter = grammar.delimiter[0]
        self._seen = 0
        self._skipping = False

    def scan(self, buffer: bytes, *, final: bool) -> RecordBlock:
        """The records that end in the buffer, and at the end of the file the one that ends with it.

        Args:
            buffer: Bytes from the start of a record.
            final: Whether nothing follows the buffer.
        """
        start = 0
        if self._skipping:
            start = buffer.find(b"\n") + 1
            self._skipping = start == 0
            if self._skipping:
                return _nothing(len(buffer))
        clean = self._scan_clean(buffer, final=final) if start == 0 else None
        return clean or self._scan_parts(buffer, start, final=final)

    def _scan_parts(self, buffer: bytes, start: int, *, final: bool) -> RecordBlock:
        """A block with something wrong in it: only the parts around the wrong records are read slowly."""
        parts = [_nothing(start)]
        position = start
        while position < len(buffer):
            stop = position + _PART_BYTES
            part = self._scan_clean(buffer[position:stop], final=final and stop >= len(buffer))
            part = part or self._scan_exactly(buffer, position, stop, final=final)
            if not part.consumed:
                break
            parts.append(part)
            position += part.consumed
        return _joined(parts)

    def _scan_clean(self, buffer: bytes, *, final: bool) -> RecordBlock | None:
        if not buffer or b"\0" in buffer or buffer.startswith(_BOM) or _has_lone_cr(buffer):
            return None
        extents = self._clean_extents(buffer, final=final)
        if extents is None:
            return None
        starts, ends, fields = extents
        consumed = min(int(ends[-1]) + 1, len(buffer))
        text = buffer[:consumed]
        if not is_utf8(text):
            return None
        octets = np.frombuffer(buffer, dtype=np.uint8)
        lengths = ends - starts
        blank = (lengths == 0) | ((lengths == 1) & (octets[starts.clip(max=len(buffer) - 1)] == _CR))
        good = (fields == self._field_count) & ~blank
        numbers = np.cumsum(~blank, dtype=np.int64) + self._seen
        self._seen = int(numbers[-1])
        refusals = [
            Refusal(
                int(numbers[index]),
                self._miscount(int(fields[index])),
                shape_of(text[starts[index] : ends[index]]),
            )
            for index in np.flatnonzero(~good & ~blank)
        ]
        return RecordBlock(
            good=text if good.all() else _only(text, starts, good),
            row_numbers=numbers[good],
            refusals=refusals,
            blank_lines=int(blank.sum()),
            consumed=consumed,
            quoted=b'"' in text,
        )

    def _clean_extents(self, buffer: bytes, *, final: bool) -> _Extents | None:
        """Where the records lie; None where the block is not provably clean."""
        octets = np.frombuffer(buffer, dtype=np.uint8)
        line_ends = octets == _LF
        delimiters = octets == self._delimiter
        if b'"' in buffer:
            quotes = octets == _QUOTE
            inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)).view(np.bool_)
            if final and inside[-1]:
                return None
            line_ends &= ~inside
            delimiters &= ~inside
        else:
            quotes = None
        ends = np.flatnonzero(line_ends)
        if final and not buffer.endswith(b"\n"):
            ends = np.append(ends, len(buffer))
        if not ends.size:
            return None
        starts = np.concatenate(([0], ends[:-1] + 1))
        if int((ends - starts).max()) > self._grammar.limit:
            return None
        if quotes is not None and not self._quotes_fit(octets, quotes[: ends[-1]]):
            return None
        separators = np.searchsorted(np.flatnonzero(delimiters), ends)
        return _Extents(starts, ends, np.diff(separators, prepend=0) + 1)

    def _quotes_fit(self, octets: npt.NDArray[np.uint8], quotes: _Flags) -> bool:
        """Whether every opening quote begins a field and every closing one ends it (or is doubled).

        The quotes alternate: opening, closing, opening. A doubled quote inside a field reads as closing and
        opening again.
        """
        positions = np.flatnonzero(quotes)
        opening, closing = positions[0::2], positions[1::2]
        before = octets[opening - 1]
        opens = (opening == 0) | (before == self._delimiter) | (before == _LF) | (before == _QUOTE)
        last = octets.size - 1
        after = octets[(closing + 1).clip(max=last)]
        line_end = (after == _CR) & (octets[(closing + 2).clip(max=last)] == _LF)
        closes = (
            (closing == last) | (after == self._delimiter) | (after == _LF) | (after == _QUOTE) | line_end
        )
        return bool(opens.all() and closes.all())

    def _scan_exactly(self, buffer: bytes, start: int, stop: int, *, final: bool) -> RecordBlock:
        position = start
        good: list[bytes] = []
        numbers: list[int] = []
        refusals: list[Refusal] = []
        blank_lines = 0
        while position < min(stop, len(buffer)):
            span = self._grammar.next_record(buffer, position, final=final)
            if span is None:
                break
            record = buffer[position : span.end]
            position = span.next
            self._skipping = span.continues
            if record in {b"", b"\r"}:
                blank_lines += 1
                continue
            self._seen += 1
            reason, text = (span.reason, b"") if span.reason else self._checked(record.removesuffix(b"\r"))
            if reason is None:
                good.append(text)
                numbers.append(self._seen)
            else:
                refusals.append(Refusal(self._seen, reason, shape_of(record[: self._grammar.limit])))
        joined = b"\n".join(good) + b"\n" if good else b""
        return RecordBlock(
            joined,
            np.array(numbers, dtype=np.int64),
            refusals,
            blank_lines,
            position - start,
            quoted=b'"' in joined,
        )

    def _checked(self, record: bytes) -> tuple[str | None, bytes]:
        """Why a record of good grammar is refused, else its bytes as any RFC 4180 reader understands them."""
        if b"\0" in record:
            return NUL_BYTE, b""
        if not is_utf8(record):
            return INVALID_UTF8, b""
        # polars drops a CR at a field's end and a byte-order mark at a block's start unless they are quoted.
        if b'"' not in record and b"\r" not in record and not record.startswith(_BOM):
            count, text = record.count(self._grammar.delimiter) + 1, record
        else:
            fields = self._grammar.fields(record)
            count = len(fields)
            fields = [requoted(field) for field in fields]
            if fields[0].startswith(_BOM):
                fields[0] = b'"' + fields[0] + b'"'
            text = self._grammar.delimiter.join(fields)
        if count != self._field_count:
            return self._miscount(count), b""
        return None, text

    def _miscount(self, count: int) -> str:
        return TOO_FEW_FIELDS if count < self._field_count else TOO_MANY_FIELDS


def is_utf8(text: bytes) -> bool:
    """Whether the bytes are valid UTF-8; decoded piece by piece, so that memory stays small."""
    if text.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(text), _DECODED_BYTES):
            decoder.decode(text[start : start + _DECODED_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_lone_cr(buffer: bytes) -> bool:
    return b"\r" in buffer and buffer.count(b"\r") != buffer.count(b"\r\n")


def _nothing(consumed: int) -> RecordBlock:
    return RecordBlock(b"", np.empty(0, dtype=np.int64), [], 0, consumed, quoted=False)


def _joined(parts: list[RecordBlock]) -> RecordBlock:
    return RecordBlock(
        good=b"".join(part.good for part in parts),
        row_numbers=np.concatenate([part.row_numbers for part in parts]),
        refusals=[refusal for part in parts for refusal in part.refusals],
        blank_lines=sum(part.blank_lines for part in parts),
        consumed=sum(part.consumed for part in parts),
        quoted=any(part.quoted for part in parts),
    )


def _only(text: bytes, starts: _Positions, good: _Flags) -> bytes:
    """The bytes of the good records, taken in runs of neighbours."""
    edges = np.flatnonzero(np.diff(good, prepend=False, append=False))
    bounds = cast("list[int]", np.append(starts, len(text))[edges].tolist())
    return b"".join(text[first:last] for first, last in zip(bounds[0::2], bounds[1::2], strict=True))


__all__ = ["INVALID_UTF8", "NUL_BYTE", "RECORD_TOO_LONG", "RecordBlock", "RecordScanner", "is_utf8"]
