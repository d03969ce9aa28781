"""Decompression and transcoding: what is half written or mislabelled is refused with its reason."""

import codecs
import gzip
import io

import pytest
import zstandard

from symbiosys_pipeline.contracts.profile import Compression, Encoding, FileFormat
from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.byte_streams import DeliveredText
from symbiosys_pipeline.transforms.raw_rows import FileLayout
from symbiosys_pipeline_tests.transforms.raw_reading import read

CONTENT = b"a,b\n" + b"".join(b"%d,value %d\n" % (number, number * 7919) for number in range(3000))
SKIPPABLE_FRAME = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"


def text_of(delivered: bytes, compression: Compression, encoding: Encoding, size: int) -> bytes:
    text = DeliveredText(io.BytesIO(delivered), compression, encoding, piece_bytes=size)
    blocks: list[bytes] = []
    while block := text.read(size):
        blocks.append(block)
    return b"".join(blocks)


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zstded(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("delivered", "content"),
    [
        (gzipped(CONTENT), CONTENT),
        (gzipped(CONTENT[:50]) + gzipped(b"") + gzipped(CONTENT[50:]), CONTENT),
        (gzipped(CONTENT) + b"\0" * 512, CONTENT),
        (zstded(CONTENT), CONTENT),
        (zstded(CONTENT[:50]) + SKIPPABLE_FRAME + zstded(CONTENT[50:]), CONTENT),
        (SKIPPABLE_FRAME + zstded(CONTENT), CONTENT),
        (CONTENT, CONTENT),
        (b"", b""),
    ],
    ids=["gzip", "members", "padded", "zstd", "frames", "skippable_first", "plain", "empty"],
)
def test_auto_finds_the_compression(delivered: bytes, content: bytes, size: int) -> None:
    assert text_of(delivered, Compression.AUTO, Encoding.UTF_8, size) == content


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 0x55
    return bytes(changed)


@pytest.mark.parametrize(
    ("delivered", "declared", "code"),
    [
        (gzipped(CONTENT)[:-4], Compression.GZIP, "truncated_compression"),
        (gzipped(CONTENT)[:200], Compression.AUTO, "truncated_compression"),
        (gzipped(CONTENT) + b"\x1f\x8b", Compression.AUTO, "truncated_compression"),
        (zstded(CONTENT)[:-2], Compression.ZSTD, "truncated_compression"),
        (zstded(CONTENT)[:9], Compression.AUTO, "truncated_compression"),
        (flipped(gzipped(CONTENT), -6), Compression.GZIP, "bad_compression"),
        (flipped(zstded(CONTENT), -2), Compression.ZSTD, "bad_compression"),
        (gzipped(CONTENT) + b"garbage", Compression.GZIP, "bad_compression"),
        (CONTENT, Compression.GZIP, "bad_compression"),
        (zstded(CONTENT), Compression.GZIP, "bad_compression"),
        (gzipped(CONTENT), Compression.NONE, "bad_compression"),
    ],
    ids=[
        "gzip_end_cut",
        "gzip_cut",
        "second_member_cut",
        "zstd_end_cut",
        "zstd_cut",
        "gzip_checksum",
        "zstd_checksum",
        "trailing",
        "not_gzip",
        "other",
        "undeclared",
    ],
)
def test_broken_compression_is_refused(delivered: bytes, declared: Compression, code: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        read(delivered, FileLayout(FileFormat.CSV, compression=declared))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("whole", "declared"),
    [(gzipped(CONTENT[:400]), Compression.GZIP), (zstded(CONTENT[:400]), Compression.ZSTD)],
    ids=["gzip", "zstd"],
)
def test_a_cut_stream_never_passes_for_a_whole_one(whole: bytes, declared: Compression) -> None:
    for cut in range(1, len(whole)):
        with pytest.raises(DeliveryError) as caught:
            read(whole[:cut], FileLayout(FileFormat.CSV, compression=declared))
        assert caught.value.code == "truncated_compression"


@pytest.mark.parametrize(
    ("mark", "codec", "found"),
    [
        (codecs.BOM_UTF8, "utf-8", Encoding.UTF_8),
        (codecs.BOM_UTF16_LE, "utf-16-le", Encoding.UTF_16),
        (codecs.BOM_UTF16_BE, "utf-16-be", Encoding.UTF_16),
    ],
)
@pytest.mark.parametrize("declared", Encoding)
def test_a_byte_order_mark_wins(mark: bytes, codec: str, found: Encoding, declared: Encoding) -> None:
    delivered = mark + "id,ü\n1,€😀\n".encode(codec)
    reading = read(delivered, FileLayout(FileFormat.CSV, encoding=declared), chunk_bytes=3)
    assert reading.header == ("id", "ü")
    assert reading.rows == {1: ("1", "€😀")}
    assert reading.facts.byte_order_mark is True
    assert reading.facts.encoding is found


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_mark(codec: str) -> None:
    reading = read("a,b\n1,é\n".encode(codec), FileLayout(FileFormat.CSV, encoding=Encoding.UTF_16))
    assert reading.rows == {1: ("1", "é")}
    assert reading.facts.byte_order_mark is False


def test_utf_8_declared_as_utf_16_is_refused() -> None:
    with pytest.raises(DeliveryError) as caught:
        read(CONTENT, FileLayout(FileFormat.CSV, encoding=Encoding.UTF_16))
    assert caught.value.code == "undecodable"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (Encoding.UTF_16, "1,".encode("utf-16-le") + b"\x00\xd8" + "\n2,b\n".encode("utf-16-le")),
        (Encoding.WINDOWS_1252, b"1,\x81\n2,b\n"),
    ],
    ids=["lone_surrogate", "undefined_byte"],
)
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_undecodable_text_refuses_its_record_only(encoding: Encoding, body: bytes, chunk_bytes: int) -> None:
    header = "a,b\n".encode("utf-16-le" if encoding is Encoding.UTF_16 else "ascii")
    reading = read(header + body, FileLayout(FileFormat.CSV, encoding=encoding), chunk_bytes=chunk_bytes)
    assert reading.reasons == {1: "invalid_utf8"}
    assert reading.rows == {2: ("2", "b")}


@pytest.mark.parametrize("half", [b"x", b"\x00\xd8"], ids=["byte", "surrogate"])
def test_a_half_character_at_the_end_refuses_the_last_record(half: bytes) -> None:
    delivered = "a,b\n1,2\n3,4".encode("utf-16-le") + half
    reading = read(delivered, FileLayout(FileFormat.CSV, encoding=Encoding.UTF_16))
    assert reading.rows == {1: ("1", "2")}
    assert reading.reasons == {2: "invalid_utf8"}


def test_expansion_is_handed_out_in_small_pieces() -> None:
    """A few kilobytes that stand for 64 MiB come out piece by piece."""
    for pack in (gzipped, zstded):
        text = DeliveredText(io.BytesIO(pack(b"\n" * (64 << 20))), Compression.AUTO, Encoding.UTF_8)
        first = text.read(1)
        assert 0 < len(first) < 40 << 20
