"""The one door from delivered bytes to raw rows: `open_raw`. Which field a column is, is told by `header`."""

from typing import BinaryIO

from symbiosys_pipeline.contracts.profile import FileFormat
from symbiosys_pipeline.transforms.byte_streams import DeliveredText
from symbiosys_pipeline.transforms.csv_grammar import CsvGrammar
from symbiosys_pipeline.transforms.csv_rows import CsvFile
from symbiosys_pipeline.transforms.ndjson_rows import NdjsonFile
from symbiosys_pipeline.transforms.parquet_rows import ParquetFile
from symbiosys_pipeline.transforms.raw_chunks import (
    CHUNK_BYTES,
    RECORD_LIMIT,
    ROW_NUMBER,
    FileFacts,
    FileLayout,
    RawChunk,
    RawFile,
)

__all__ = ["ROW_NUMBER", "FileFacts", "FileLayout", "RawChunk", "RawFile", "open_raw"]


def open_raw(
    stream: BinaryIO,
    layout: FileLayout,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    record_limit: int = RECORD_LIMIT,
) -> RawFile:
    """Open delivered bytes for reading; the header is known at once.

    Every record comes out exactly once, as a row or refused with a reason (`too_few_fields`,
    `too_many_fields`, `malformed_quotes`, `record_too_long`, `nul_byte`, `invalid_utf8`,
    `malformed_json`, `not_an_object`),
    whatever `chunk_bytes` is.

    Args:
        stream: The bytes as delivered; for Parquet it must be seekable.
        layout: How the profile says the file is written.
        chunk_bytes: About how many bytes become one chunk; memory is a small multiple of it.
        record_limit: Longest record in bytes; longer ones are refused.

    Raises:
        DeliveryError: The file cannot be used as a whole, here or while its chunks are read: `empty_file`,
            `bad_compression`, `truncated_compression`, `undecodable`, `bad_header`, `bad_parquet`.
    """
    if layout.format is FileFormat.PARQUET:
        return ParquetFile(stream, chunk_bytes)
    text = DeliveredText(stream, layout.compression, layout.encoding, piece_bytes=chunk_bytes)
    if layout.format is FileFormat.NDJSON:
        return NdjsonFile(text, record_limit, chunk_bytes)
    return CsvFile(text, CsvGrammar(layout.delimiter, record_limit), chunk_bytes)
