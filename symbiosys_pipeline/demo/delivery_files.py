"""Delivered files as values: records with what was planted in them, and their exact bytes."""

import csv
import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.demo.events import Order, View

#: Clear personal data planted where only hashes or ids may stand; it must appear nowhere behind landing.
CLEAR_EMAIL = "mina.okafor@mail.example"

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Purchase:
    """A record that carries lines of an order: all of them, or the one at this position."""

    order: Order
    position: int | None = None


@dataclass(frozen=True)
class Refused:
    """A record that must end in quarantine with this reason."""

    reason: str


@dataclass(frozen=True)
class Record:
    """One record of a delivered file: its bytes without the line end, and what it truly is."""

    content: bytes
    planted: View | Purchase | Refused


@dataclass(frozen=True)
class DeliveryFile:
    """One generation of one delivered file.

    Attributes:
        client: Folder below the root.
        key: Object name below the client's folder.
        day: Delivery day, as the key tells it.
        header: The header line, or None for NDJSON.
        delivered_share: Share of the bytes that had arrived when it was listed; below 1 it is half-written.
    """

    client: str
    key: str
    dataset: Dataset
    day: date
    header: bytes | None
    records: tuple[Record, ...]
    delimiter: bytes = b","
    line_end: bytes = b"\n"
    bom: bool = False
    gzipped: bool = False
    delivered_share: float = 1.0

    def content(self) -> bytes:
        """The bytes as delivered; the same value gives the same bytes."""
        lines = ([] if self.header is None else [self.header]) + [record.content for record in self.records]
        text = (_BOM if self.bom else b"") + b"".join(line + self.line_end for line in lines)
        if self.delivered_share < 1 and not self.gzipped:
            text = text[: -len(self.line_end)]
        whole = gzip.compress(text, mtime=0) if self.gzipped else text
        return whole[: int(len(whole) * self.delivered_share)] if self.gzipped else whole

    def half_written(self, share: float) -> "DeliveryFile":
        """The same file while its upload was under way.

        A cut gzip stream cannot be read at all. A cut text file keeps its first records whole; the next one
        ends after its first two fields and must be refused for it.
        """
        if self.gzipped:
            return replace(self, delivered_share=share)
        whole = int(len(self.records) * share)
        torn = self.records[whole].content
        cut = Record(self.delimiter.join(torn.split(self.delimiter)[:2]), Refused("too_few_fields"))
        return replace(self, delivered_share=share, records=(*self.records[:whole], cut))

    @property
    def readable(self) -> bool:
        """Whether its records can be read: not from a gzip stream that ends early."""
        return not self.gzipped or self.delivered_share == 1


def csv_record(fields: Sequence[str], delimiter: str) -> bytes:
    """One CSV record in UTF-8, quoted where RFC 4180 demands it, without a line end."""
    text = io.StringIO(newline="")
    # The writer quotes a field with a line break only for the breaks its own line end is made of.
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(fields)
    return text.getvalue().removesuffix("\r\n").encode()


def _without_fields(content: bytes, delimiter: bytes) -> bytes:
    return delimiter.join(content.split(delimiter)[:3])


def _with_surplus_fields(content: bytes, delimiter: bytes) -> bytes:
    return delimiter.join((content, b"surplus", b"surplus"))


def _with_broken_utf8(content: bytes, _delimiter: bytes) -> bytes:
    return content + b"\xff\xfe"


def _with_nul_byte(content: bytes, _delimiter: bytes) -> bytes:
    return content + b"\x00"


def _with_text_after_quotes(content: bytes, delimiter: bytes) -> bytes:
    return delimiter.join((content.rpartition(delimiter)[0], b'"torn" quotes'))


def with_open_quotes(content: bytes, delimiter: bytes) -> bytes:
    """The record with a last field that opens quotes and never closes them: only for the end of a file."""
    return delimiter.join((content.rpartition(delimiter)[0], b'"torn'))


#: How a CSV record is broken, by the reason it must be refused for. The first three fields and the last one
#: of the record must be unquoted.
BREAKAGES: Mapping[str, Callable[[bytes, bytes], bytes]] = {
    "too_few_fields": _without_fields,
    "too_many_fields": _with_surplus_fields,
    "invalid_utf8": _with_broken_utf8,
    "nul_byte": _with_nul_byte,
    "malformed_quotes": _with_text_after_quotes,
}
