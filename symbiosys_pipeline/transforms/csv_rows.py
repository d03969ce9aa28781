"""CSV files to raw rows: the header, then blocks of records parsed by polars.

What a record is decides `csv_grammar`; here its fields become columns.
"""

from collections.abc import Collection, Iterator

import numpy as np
import polars as pl

from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.byte_streams import DeliveredText
from symbiosys_pipeline.transforms.csv_grammar import CsvGrammar, unquoted
from symbiosys_pipeline.transforms.csv_records import RecordBlock, RecordScanner, is_utf8
from symbiosys_pipeline.transforms.header import clean_name
from symbiosys_pipeline.transforms.raw_chunks import (
    ROW_NUMBER,
    FileFacts,
    RawChunk,
    RawFile,
    Refusal,
    readable_columns,
    refused_frame,
)

#: More columns than any client has; a header beyond it is not a header.
_MOST_COLUMNS = 10_000
#: Blocks of this size stay in the processor's cache during the scan: a third faster than a whole chunk.
_SCAN_BYTES = 4 * 1024 * 1024


class CsvFile(RawFile):
    """A delimited text file with a header; see `csv_grammar` for what is accepted.

    Raises:
        DeliveryError: `empty_file`, `undecodable`, `bad_header` when opened; what `DeliveredText` raises.
    """

    def __init__(self, text: DeliveredText, grammar: CsvGrammar, chunk_bytes: int) -> None:
        self._text = text
        self._grammar = grammar
        self._chunk_bytes = chunk_bytes
        self._scan_bytes = min(chunk_bytes, _SCAN_BYTES)
        self._blank_lines = 0
        header, self._carry, self._ended = self._read_header()
        super().__init__(header)

    def _read_header(self) -> tuple[tuple[str, ...], bytes, bool]:
        """The names, the bytes read beyond them, and whether the file ended."""
        buffer = b""
        final = False
        while True:
            if not final:
                piece = self._text.read(self._scan_bytes)
                final = not piece
                buffer += piece
            while buffer:
                span = self._grammar.next_record(buffer, 0, final=final)
                if span is None:
                    break
                record, buffer = buffer[: span.end], buffer[span.next :]
                if record in {b"", b"\r"}:
                    self._blank_lines += 1
                    continue
                if span.reason is not None:
                    raise DeliveryError(
                        "bad_header",
                        f"the header line is broken ({span.reason}); expected one line of column names, "
                        "quoted as RFC 4180 says. Correct the file, or its format in the profile",
                    )
                return self._names(record.removesuffix(b"\r")), buffer, final
            if final:
                raise DeliveryError(
                    "empty_file", "the file holds no header and no rows; expected at least a header line"
                )

    def _names(self, record: bytes) -> tuple[str, ...]:
        if b"\0" in record or not is_utf8(record):
            raise DeliveryError(
                "undecodable",
                f"the header line is not {self._text.encoding.value} text. Set the source's encoding to what "
                "the file is written in (utf-8, utf-16, windows-1252, iso-8859-1), or its format",
            )
        if b"\r" in record:
            raise DeliveryError(
                "bad_header", "lines end with a carriage return alone; expected LF or CRLF. Write the file so"
            )
        names = tuple(clean_name(unquoted(field).decode()) for field in self._grammar.fields(record))
        if len(names) > _MOST_COLUMNS:
            raise DeliveryError(
                "bad_header", f"the header has {len(names)} columns; expected at most {_MOST_COLUMNS}"
            )
        return names

    def _read(self, columns: Collection[str] | None) -> Iterator[RawChunk]:
        positions = readable_columns(self.header, columns)
        frames: list[pl.DataFrame] = []
        refusals: list[Refusal] = []
        gathered, yielded = 0, False
        for block in self._blocks():
            gathered += block.consumed
            self._blank_lines += block.blank_lines
            refusals += block.refusals
            if block.row_numbers.size:
                frames.append(self._frame(block, positions))
            if gathered >= self._chunk_bytes and (frames or refusals):
                yield self._chunk(frames, refusals, positions)
                frames, refusals, gathered, yielded = [], [], 0, True
        if frames or refusals or not yielded:
            yield self._chunk(frames, refusals, positions)

    def _blocks(self) -> Iterator[RecordBlock]:
        scanner = RecordScanner(self._grammar, len(self.header))
        buffer, final = self._carry, self._ended
        self._carry = b""
        while True:
            block = scanner.scan(buffer, final=final)
            yield block
            if final:
                return
            piece = self._text.read(self._scan_bytes)
            final = not piece
            buffer = buffer[block.consumed :] + piece

    def _chunk(
        self, frames: list[pl.DataFrame], refusals: list[Refusal], positions: dict[str, int]
    ) -> RawChunk:
        names = {**dict.fromkeys(positions, pl.String()), ROW_NUMBER: pl.Int64()}
        rows = pl.concat(frames) if frames else pl.DataFrame(schema=names)
        return RawChunk(rows, refused_frame(refusals))

    def _frame(self, block: RecordBlock, positions: dict[str, int]) -> pl.DataFrame:
        numbers = pl.Series(ROW_NUMBER, block.row_numbers, dtype=pl.Int64)
        if not positions:
            return numbers.to_frame()
        fields = pl.read_csv(
            block.good,
            has_header=False,
            schema={str(position): pl.String() for position in range(len(self.header))},
            columns=sorted(positions.values()),
            separator=self._grammar.delimiter.decode(),
            quote_char='"' if block.quoted else None,
            null_values=[""],  # a quoted empty field is absent too
        )
        if fields.height != numbers.len():
            raise RuntimeError(
                f"polars read {fields.height} rows where the record scan found {numbers.len()} (records "
                f"{np.min(block.row_numbers)} to {np.max(block.row_numbers)}): a defect of this parser"
            )
        return fields.select(pl.col(str(at)).alias(name) for name, at in positions.items()).with_columns(
            numbers
        )

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
