"""Field text -> value or reason, as CONTRACT 2 says."""

import re
from decimal import Decimal
from hashlib import sha256

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import MONEY, Column, Dataset, Kind, Need
from symbiosys_pipeline.contracts.profile import DecimalSeparator
from symbiosys_pipeline.transforms.field_parsers import FieldRules, cut_query_parameters, parse_field, present
from symbiosys_pipeline_tests.transforms.standardizing import UNTIMED, outcome, spec_of

DIGEST = sha256(b"someone").hexdigest()
RULES = FieldRules(null_words=(), currency="EUR", decimal_separator=DecimalSeparator.POINT, cut_parameters=())


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("visitor_id", "  007 ", "007"),
        ("visitor_id", None, "<missing>"),
        ("visitor_id", "", "<missing>"),
        ("visitor_id", " \t", "<missing>"),
        ("visitor_id", " NULL ", "<missing>"),
        ("visitor_id", "nULL", "nULL"),
        ("visitor_id", "12345678901234567890123", "12345678901234567890123"),
        ("visitor_id", "8571234@AdobeOrg", "8571234@AdobeOrg"),
        ("visitor_id", "jane@mail.example", "<personal_data_in_clear>"),
        ("crm_id", "crm:jane.doe+x@mail.example:1", "<personal_data_in_clear>"),
        ("session_id", "jane%40mail.example", "<personal_data_in_clear>"),
        ("product_id", "+33612345678", "<personal_data_in_clear>"),
        ("product_id", "33612345678", "33612345678"),
        ("page_url", " https://shop.example/?a=%20 ", " https://shop.example/?a=%20 "),
        ("page_url", "   ", "<missing>"),
        ("referrer", "\\N", None),
        ("user_opt_out", "YES", True),
        ("user_opt_out", "t", True),
        ("user_opt_out", "1", True),
        ("user_opt_out", "No", False),
        ("user_opt_out", "F", False),
        ("user_opt_out", "", False),
        ("user_opt_out", "2", "<not_a_boolean>"),
        ("platform", " iOS ", "ios"),
        ("platform", None, "web"),
        ("platform", "tv", "<not_allowed>"),
        ("channel", None, "google"),
        ("channel", " Bing ", "Bing"),
        ("user_agent", "Mozilla/5.0", "Mozilla/5.0"),
        ("hashed_email", DIGEST.upper() + " ", DIGEST),
        ("hashed_email", sha256(b"").hexdigest(), None),
        ("hashed_email", sha256(b"undefined").hexdigest().upper(), None),
        ("hashed_email", "jane@mail.example", "<not_a_sha256>"),
        ("hashed_email", DIGEST[:-1], "<not_a_sha256>"),
        ("hashed_email", DIGEST[:-1] + "g", "<not_a_sha256>"),
    ],
)
def test_page_view_field(field: str, text: str | None, expected: object) -> None:
    assert outcome(field, text, spec_of()) == expected


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("currency", " usd ", "USD"),
        ("currency", None, "EUR"),
        ("currency", "EURO", "<not_a_currency>"),
        ("currency", "€", "<not_a_currency>"),
        ("quantity", "+3", 3),
        ("quantity", "3.000", 3),
        ("quantity", "999999999999", 999_999_999_999),
        ("quantity", "1000000000000", "<not_an_integer>"),
        ("quantity", "1.5", "<not_an_integer>"),
        ("quantity", "two", "<not_an_integer>"),
        ("quantity", "0", "<not_positive>"),
        ("quantity", "-1", "<not_positive>"),
        ("quantity", "", "<missing>"),
        ("regular_unit_price", "12.90", Decimal("12.90")),
        ("regular_unit_price", "+0012.9", Decimal("12.9")),
        ("regular_unit_price", "0.00010000", Decimal("0.0001")),
        ("regular_unit_price", "0", Decimal(0)),
        ("regular_unit_price", "-0.00", Decimal(0)),
        ("regular_unit_price", "99999999999999.9999", Decimal("99999999999999.9999")),
        ("regular_unit_price", "-1", "<negative>"),
        ("regular_unit_price", "0.00001", "<too_many_decimals>"),
        ("regular_unit_price", "100000000000000", "<out_of_range>"),
        ("regular_unit_price", "1e2", "<not_a_number>"),
        ("regular_unit_price", "1,5", "<not_a_number>"),
        ("regular_unit_price", "1.", "<not_a_number>"),
        ("regular_unit_price", "NaN", "<not_a_number>"),
        ("regular_unit_price", "1 000.00", "<not_a_number>"),
        ("regular_unit_price", None, "<missing>"),
        ("discount_unit_price", None, None),
        ("discount_unit_price", "-0.01", "<negative>"),
    ],
)
def test_order_field(field: str, text: str | None, expected: object) -> None:
    assert outcome(field, text, spec_of(Dataset.ORDERS)) == expected


def test_decimal_comma() -> None:
    spec = spec_of(Dataset.ORDERS, source={"decimal_separator": ","})
    assert outcome("regular_unit_price", "1,50", spec) == Decimal("1.50")
    assert outcome("regular_unit_price", "1.50", spec) == "<not_a_number>"


@UNTIMED
@given(st.lists(st.from_regex(r"[+]?[0-9]{1,16}(\.[0-9]{1,7})?", fullmatch=True), min_size=1, max_size=20))
def test_prices_equal_pythons_decimal(texts: list[str]) -> None:
    column = Column("price", Kind.PRICE, Need.REQUIRED, "")
    parsed = parse_field(pl.col("text"), column, RULES)
    read = pl.DataFrame({"text": texts}).select(value=parsed.value, problem=parsed.problem.cast(pl.String))
    assert read.schema["value"] == MONEY
    for text, value, problem in zip(texts, read["value"], read["problem"], strict=True):
        exact = Decimal(text)
        if exact >= 10**14:
            assert (value, problem) == (None, "out_of_range")
        elif exact != exact.quantize(Decimal("0.0001")):
            assert (value, problem) == (None, "too_many_decimals")
        else:
            assert (value, problem) == (exact, None)


@UNTIMED
@given(st.sampled_from([kind for kind in Kind if kind is not Kind.TIMESTAMP]), st.text(max_size=30))
def test_any_text_is_a_value_or_a_problem_never_both(kind: Kind, text: str) -> None:
    column = Column("field", kind, Need.OPTIONAL, "", choices=("web",))
    parsed = parse_field(present(pl.col("text"), column, RULES), column, RULES)
    read = pl.DataFrame({"text": [text]}).select(value=parsed.value, problem=parsed.problem)
    assert read["value"].is_null().item() or read["problem"].is_null().item()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://s.example/p?a=1", "https://s.example/p"),
        ("https://s.example/p?a=1&b=2", "https://s.example/p?b=2"),
        ("https://s.example/p?b=2&a=1", "https://s.example/p?b=2"),
        ("https://s.example/p?a=1&a=2&b=%202&a=3#f", "https://s.example/p?b=%202#f"),
        ("https://s.example/p?a=1&a=2", "https://s.example/p"),
        ("https://s.example/p?A=1&xa=2&ax=3", "https://s.example/p?A=1&xa=2&ax=3"),
        ("https://s.example/p?a=x?y=1&b=2", "https://s.example/p?b=2"),
        ("https://s.example/p?b=2?a=1", "https://s.example/p?b=2"),
        ("https://s.example/p#a=1&b=2", "https://s.example/p#b=2"),
        ("https://s.example/p?b=2&q.x=1", "https://s.example/p?b=2"),
        ("https://s.example/p?b=2&qzx=1", "https://s.example/p?b=2&qzx=1"),
        ("https://s.example/a=1", "https://s.example/a=1"),
        ("https://s.example/p?a&b=", "https://s.example/p?a&b="),
    ],
)
def test_cut_query_parameters(url: str, expected: str) -> None:
    cut = cut_query_parameters(pl.col("url"), ["a", "q.x"])
    assert pl.DataFrame({"url": [url]}).select(cut).item() == expected


@UNTIMED
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "aa", "c"]), st.from_regex(r"[\w%+.;/:@-]{0,6}", fullmatch=True))
    )
)
def test_cut_query_equals_splitting_the_query(parameters: list[tuple[str, str]]) -> None:
    url = "https://s.example/p?" + "&".join(f"{name}={value}" for name, value in parameters)
    kept = [f"{name}={value}" for name, value in parameters if name not in {"a", "c"}]
    expected = "https://s.example/p" + ("?" + "&".join(kept) if kept or not parameters else "")
    cut = cut_query_parameters(pl.col("url"), ["a", "c"])
    assert pl.DataFrame({"url": [url]}).select(cut).item() == expected
    assert not re.search(r"[?&][ac]=", expected)
