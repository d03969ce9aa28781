"""What masking hides, and what it leaves readable."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Column, Kind, Need
from symbiosys_pipeline.transforms.masking import VALUE_LENGTH, mask_expression, mask_field
from symbiosys_pipeline.transforms.quarantine import masked_text
from symbiosys_pipeline_tests.transforms.standardizing import UNTIMED

SHOP = "https://s.example"
EMAIL = "jane.doe+shop@mail.example.co.uk"


def masked(text: str, kind: Kind | None = None) -> str:
    column = Column("field", kind or Kind.TEXT, Need.OPTIONAL, "")
    expression = mask_field(pl.col("text"), column) if kind else mask_expression(pl.col("text"))
    return pl.DataFrame({"text": [text]}).select(expression).item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"write {EMAIL}, now", "write <email>, now"),
        ("JANE%40MAIL.EXAMPLE", "<email>"),
        ("call +33 6 12 34 56 78!", "call <phone>!"),
        ("+33612345678", "<phone>"),
        ("06 12 34 56 78", "<phone>"),
        ("06.12.34.56.78 or 06-12-34-56-79", "<phone> or <phone>"),
        ("(212) 555-1234", "(<phone>"),
        ("tel0612 345678", "tel<phone>"),
        ("4111 1111 1111 1111", "<card>"),
        ("card 4111111111111111, 378282246310005", "card <card>, <card>"),
        ("3782-822463-10005", "<card>"),
        ("order 123456789012", "order 123456789012"),
        ("1763900000123", "1763900000123"),
        ("2026-11-23 10:11:12.123+01:00", "2026-11-23 10:11:12.123+01:00"),
        ("23/11/2026 10:11", "23/11/2026 10:11"),
        ("Mozilla/5.0 Chrome/119.0.0.0", "Mozilla/5.0 Chrome/119.0.0.0"),
        ("12.90", "12.90"),
    ],
)
def test_free_text(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.SHA256, "anything", "***"),
        (Kind.IDENTIFIER, "06 12 34 56 78", "06 12 34 56 78"),
        (Kind.IDENTIFIER, "+33 612345678", "<phone>"),
        (Kind.IDENTIFIER, f"x:{EMAIL}", "x:<email>"),
        (Kind.IDENTIFIER, "8571234@AdobeOrg", "8571234@AdobeOrg"),
        (Kind.URL, f"{SHOP}/2026-11-23-12/4111111111111111?id=123456789012", None),
        (
            Kind.URL,
            f"{SHOP}/{EMAIL}?tel=06+12+34+56+78#%2B33612345678",
            f"{SHOP}/<email>?tel=<phone>#<phone>",
        ),
        (Kind.URL, f"{SHOP}/?q=%20%2B33612345678&r=%2006%2012345678", f"{SHOP}/?q=%20<phone>&r=%20<phone>"),
        (Kind.URL, "06 12 34 56 78", "<phone>"),
        (Kind.TEXT, "é" * 500, "é" * VALUE_LENGTH),
    ],
)
def test_field_kinds(kind: Kind, text: str, expected: str | None) -> None:
    assert masked(text, kind) == (expected or text)


def test_an_address_cut_in_two_does_not_show() -> None:
    text = "x" * (VALUE_LENGTH - 5) + " " + EMAIL
    assert "jane" not in masked(text, Kind.TEXT)


_SAFE = st.text(st.sampled_from("abc xyz/,;é"), max_size=12)


@UNTIMED
@given(
    before=_SAFE,
    after=_SAFE,
    secret=st.sampled_from(
        [
            "janedoe@mail.example",
            "janedoe%40mail.example",
            "+33 612 345 678",
            "+33612345678",
            "%2B33612345678",
        ]
    ),
    kind=st.sampled_from(list(Kind)),
)
def test_nothing_planted_shows(before: str, after: str, secret: str, kind: Kind) -> None:
    shown = masked(f"{before} {secret} {after}", kind)
    assert "janedoe" not in shown
    assert "612" not in shown


@UNTIMED
@given(st.text(max_size=50))
def test_text_is_a_json_object_of_the_fields(text: str) -> None:
    columns = [(Column(name, Kind.TEXT, Need.OPTIONAL, ""), pl.col(name)) for name in ("a", "b")]
    row = pl.DataFrame({"a": [text], "b": [None]}, schema={"a": pl.String, "b": pl.String})
    parsed = json.loads(row.select(masked_text(columns)).item())
    assert list(parsed) == ["a", "b"]
    assert parsed["b"] is None
