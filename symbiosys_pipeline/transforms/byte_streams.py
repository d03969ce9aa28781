"""From a delivered stream to plain UTF-8 bytes: decompression and transcoding, piece by piece.

Memory is bounded whatever the file expands to. Nothing here knows about records; readers of lines
and fields build on `DeliveredText`.
"""

import codecs
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from symbiosys_pipeline.contracts.profile import Compression, Encoding
from symbiosys_pipeline.errors import DeliveryError

_PIECE_BYTES = 1024 * 1024
#: A zstd block of a few bytes can stand for 128 KiB, and the decompressor has no output limit: small inputs
#: keep one step's output in the tens of megabytes whatever the file holds.
_ZSTD_INPUT_BYTES = 1024
_MAGIC = {Compression.GZIP: b"\x1f\x8b", Compression.ZSTD: b"\x28\xb5\x2f\xfd"}
_ZSTD_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"
_LONGEST_MAGIC = 4

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, Encoding.UTF_8, "utf-8"),
    (codecs.BOM_UTF16_LE, Encoding.UTF_16, "utf-16-le"),
    (codecs.BOM_UTF16_BE, Encoding.UTF_16, "utf-16-be"),
)
_CODECS = {
    Encoding.UTF_8: "utf-8",
    Encoding.WINDOWS_1252: "cp1252",
    Encoding.ISO_8859_1: "iso-8859-1",
}
#: A byte that is never part of UTF-8: marks a record as undecodable for whoever reads the records.
_NEVER_UTF8 = b"\xff"


class DeliveredText:
    """A delivered text file as UTF-8 bytes without byte-order mark.

    Characters that do not decode in the declared encoding come out as bytes that are not UTF-8, so that only
    their record is refused, not the file.

    Attributes:
        compression: The compression found.
        encoding: The encoding found: a byte-order mark wins over the declared one (CONTRACT 3).
        byte_order_mark: Whether the text began with one.
        size: Bytes handed out so far.
        ends_with_newline: Whether the last byte handed out is a line feed.

    Raises:
        DeliveryError: `bad_compression`, `undecodable` here or while reading; `truncated_compression` while
            reading.
    """

    def __init__(
        self,
        stream: BinaryIO,
        compression: Compression,
        encoding: Encoding,
        *,
        piece_bytes: int = _PIECE_BYTES,
    ) -> None:
        raw = _with_start(_pieces(stream, min(piece_bytes, _PIECE_BYTES)), _LONGEST_MAGIC)
        start = next(raw, b"")
        self.compression = _found_compression(start, compression)
        plain = _with_start(_decompressed(_chained(start, raw), self.compression), _LONGEST_MAGIC)
        start = next(plain, b"")
        self.encoding, codec, mark = _found_encoding(start, encoding)
        self.byte_order_mark = mark > 0
        rest = _chained(start[mark:], plain)
        self._pieces = rest if codec == "utf-8" else _transcoded(rest, codec)
        self.size = 0
        self.ends_with_newline = False

    def read(self, size: int) -> bytes:
        """The next bytes, at least `size` of them unless the file ends; empty at its end."""
        taken: list[bytes] = []
        length = 0
        for piece in self._pieces:
            taken.append(piece)
            length += len(piece)
            if length >= size:
                break
        block = b"".join(taken)
        if block:
            self.size += length
            self.ends_with_newline = block.endswith(b"\n")
        return block


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while piece := stream.read(size):
        yield piece


def _chained(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from rest


def _with_start(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    """The same bytes, the first piece at least `length` long where the stream is."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= length:
            break
    yield from _chained(start, pieces)


def _found_compression(start: bytes, declared: Compression) -> Compression:
    found = next((kind for kind, magic in _MAGIC.items() if start.startswith(magic)), Compression.NONE)
    if start[1:4] == _ZSTD_SKIPPABLE_MAGIC:
        found = Compression.ZSTD
    if not start or declared in {Compression.AUTO, found}:
        return found
    if declared in _MAGIC and _MAGIC[declared].startswith(start):
        raise _truncated(declared)
    raise DeliveryError(
        "bad_compression",
        f"the profile declares compression {declared.value}, the file's first bytes are "
        f"{'not compressed' if found is Compression.NONE else found.value}. "
        "Correct the profile (auto accepts both) or the file",
    )


def _decompressed(pieces: Iterator[bytes], compression: Compression) -> Iterator[bytes]:
    if compression is Compression.GZIP:
        return _gunzipped(pieces)
    return _unzstded(pieces) if compression is Compression.ZSTD else pieces


def _truncated(compression: Compression) -> DeliveryError:
    return DeliveryError(
        "truncated_compression",
        f"the {compression.value} stream ends before its end mark: the file is half written. "
        "Deliver it whole; a later generation replaces this one",
    )


def _corrupt(compression: Compression) -> DeliveryError:
    return DeliveryError(
        "bad_compression",
        f"the {compression.value} stream is corrupt (checksum, block or trailing bytes). "
        "Deliver the file again",
    )


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            pending = piece
            while pending:
                if member.eof:
                    # RFC 1952 allows further members; tapes and some writers pad with zeros.
                    pending = pending.lstrip(b"\0")
                    if not pending:
                        break
                    member = zlib.decompressobj(wbits=31)
                if plain := member.decompress(pending, _PIECE_BYTES):
                    yield plain
                pending = member.unused_data if member.eof else member.unconsumed_tail
        if not member.eof and (plain := member.flush()):
            yield plain
    except zlib.error as error:
        raise _corrupt(Compression.GZIP) from error
    if not member.eof:
        raise _truncated(Compression.GZIP)


def _unzstded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    try:
        for piece in pieces:
            for start in range(0, len(piece), _ZSTD_INPUT_BYTES):
                pending = piece[start : start + _ZSTD_INPUT_BYTES]
                while pending:
                    if frame.eof:
                        frame = decompressor.decompressobj()
                    if plain := frame.decompress(pending):
                        yield plain
                    pending = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise _corrupt(Compression.ZSTD) from error
    if not frame.eof:
        raise _truncated(Compression.ZSTD)


def _found_encoding(start: bytes, declared: Encoding) -> tuple[Encoding, str, int]:
    """The encoding, its codec and the length of the byte-order mark."""
    for mark, encoding, codec in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding, codec, len(mark)
    if declared is not Encoding.UTF_16:
        return declared, _CODECS[declared], 0
    # Without a mark the byte order is told by the first character, which is ASCII in any header the contract
    # knows.
    first = start[:2]
    if not first:
        return declared, "utf-16-le", 0
    if len(first) == 2 and first[0] != 0 and first[1] == 0:
        return declared, "utf-16-le", 0
    if len(first) == 2 and first[0] == 0 and first[1] != 0:
        return declared, "utf-16-be", 0
    raise DeliveryError(
        "undecodable",
        "the profile declares encoding utf-16, the file has no byte-order mark and does not "
        "begin like UTF-16. Correct the encoding in the profile, or write the file with a byte-order mark",
    )


def _transcoded(pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    # Both handlers let what does not decode through as lone surrogates, which are invalid in UTF-8.
    errors = "surrogatepass" if codec.startswith("utf-16") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(codec)(errors)
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text.encode("utf-8", errors="surrogatepass")
    try:
        last = decoder.decode(b"", final=True).encode("utf-8", errors="surrogatepass")
    except UnicodeDecodeError:
        last = _NEVER_UTF8
    if last:
        yield last
