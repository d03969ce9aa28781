"""NDJSON: exact text of every value, one refused line at a time."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.transforms.raw_rows import open_raw
from symbiosys_pipeline_tests.transforms.raw_reading import NDJSON, read


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("12.90", "12.90"),
        ("9007199254740993", "9007199254740993"),
        ("-1e5", "-1e5"),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('""', None),
        ('"007"', "007"),
        ('" é\\n"', " é\n"),
        ("[1, 2.50, null]", "[1,2.50,null]"),
        ('{"b": [{"c": "é\\""}], "a": true}', '{"b":[{"c":"é\\""}],"a":true}'),
        ("[]", "[]"),
    ],
)
def test_values_keep_their_text(written: str, text: str | None) -> None:
    assert read(f'{{"k": {written}}}\n'.encode(), NDJSON).rows == {1: (text,)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": 1} {"a": 2}', "malformed_json"),
        (b'{"a": "\\ud800"}', "malformed_json"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "malformed_json"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed_json"),
        (b"[1]", "not_an_object"),
        (b"7", "not_an_object"),
        (b'{"a": "\xff"}', "invalid_utf8"),
        (b'{"a": "\x00"}', "nul_byte"),
        (b'{"a": "\\u0000"}', "nul_byte"),
        (b'{"a": "' + b"x" * 20_000 + b'"}', "record_too_long"),
    ],
    ids=[
        "cut",
        "single_quotes",
        "nan",
        "two",
        "lone_surrogate",
        "deep",
        "deeper",
        "list",
        "number",
        "utf8",
        "nul",
        "escaped_nul",
        "long",
    ],
)
@pytest.mark.parametrize("chunk_bytes", [11, 1 << 20])
def test_a_broken_line_is_refused_alone(line: bytes, reason: str, chunk_bytes: int) -> None:
    content = b'{"a": "1"}\r\n \t\n' + line + b'\n{"a": "3"}'
    reading = read(content, NDJSON, chunk_bytes=chunk_bytes, record_limit=15_000)
    assert reading.rows == {1: ("1",), 3: ("3",)}
    assert reading.reasons == {2: reason}
    assert reading.facts.blank_lines == 1
    assert reading.facts.ends_with_newline is False


def test_of_a_repeated_key_the_last_value_holds() -> None:
    assert read(b'{"a": 1, "a": 2}', NDJSON).rows == {1: ("2",)}


@pytest.mark.parametrize("chunk_bytes", [10, 1 << 20])
def test_the_header_is_the_keys_of_the_first_thousand_objects(chunk_bytes: int) -> None:
    lines = [{"a": 1}] * 999 + [{"b": 2}] + [{"late": 3}]
    content = b"no object\n" + "\n".join(map(json.dumps, lines)).encode()
    reading = read(content, NDJSON, chunk_bytes=chunk_bytes, columns=["late", "b"])
    assert reading.header == ("a", "b")
    assert reading.rows[1001] == (None, "2")
    assert reading.rows[1002] == ("3", None)


@pytest.mark.parametrize("content", [b"", b"\n \r\n"], ids=["none", "blank"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(DeliveryError) as caught:
        open_raw(io.BytesIO(content), NDJSON)
    assert caught.value.code == "empty_file"


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
)


@given(
    rows=st.lists(st.fixed_dictionaries({"a": scalars, "b": scalars}), min_size=1),
    chunk_bytes=st.integers(1, 99),
)
def test_parse_of_render_is_the_table(rows: list[dict[str, object]], chunk_bytes: int) -> None:
    content = "\n".join(json.dumps(row) for row in rows).encode()

    def text(value: object) -> str | None:
        if isinstance(value, bool):
            return "true" if value else "false"
        return None if value in (None, "") else str(value)

    reading = read(content, NDJSON, chunk_bytes=chunk_bytes, columns=["a", "b"])
    assert list(reading.rows.values()) == [(text(row["a"]), text(row["b"])) for row in rows]


line_pieces = st.sampled_from(
    [b"{", b"}", b'"a"', b":", b"1", b"\n", b"[", b"]", b",", b'"\\ud800"', b"\xff", b"null", b" "]
)


@given(content=st.lists(line_pieces, max_size=40).map(b"".join), chunk_bytes=st.integers(1, 20))
def test_no_bytes_crash_the_reader_and_chunks_change_nothing(content: bytes, chunk_bytes: int) -> None:
    try:
        small = read(content, NDJSON, chunk_bytes=chunk_bytes, record_limit=12, columns=["a"])
    except DeliveryError as error:
        assert error.code == "empty_file"
    else:
        assert small == read(content, NDJSON, record_limit=12, columns=["a"])
