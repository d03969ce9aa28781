"""Orders with list columns: one row per line, or the row refused whole."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.transforms.standardize_spec import StandardizeSpec
from symbiosys_pipeline_tests.transforms.standardizing import ORDER, UNTIMED, run, spec_of

LINE_FIELDS = ("product_id", "quantity", "regular_unit_price", "discount_unit_price")


def lists_spec(separator: str = ",") -> StandardizeSpec:
    return spec_of(Dataset.ORDERS, orders={"line_layout": "list_columns", "list_separator": separator})


def order(
    products: str | None, quantities: str | None, prices: str | None, discounts: str | None = None
) -> dict[str, str | None]:
    return {**ORDER, **dict(zip(LINE_FIELDS, (products, quantities, prices, discounts), strict=True))}


@pytest.mark.parametrize(
    ("lists", "lines"),
    [
        (("a", "1", "2.5"), [("a", 1, "2.5", None)]),
        (("a,b", "1, 2", "2.5,3", ",1.25"), [("a", 1, "2.5", None), ("b", 2, "3", "1.25")]),
        (("a,b", "1,2", "2.5,3", ""), [("a", 1, "2.5", None), ("b", 2, "3", None)]),
        (
            ('["a,b", "c"]', "[1, 2]", "[2.50, 0.1]", "[null, 1]"),
            [("a,b", 1, "2.5", None), ("c", 2, "0.1", "1")],
        ),
        (('["a","b"]', "1,2", '["2.5","3"]', "[]"), [("a", 1, "2.5", None), ("b", 2, "3", None)]),
        (
            (' ["\\u00e9\\ud83d\\ude00", "q\\"]"]', "1,1", "1,1"),
            [("é😀", 1, "1", None), ('q"]', 1, "1", None)],
        ),
        (
            ("[007, 12345678901234567890]", "1,1", "1,1"),
            [("007", 1, "1", None), ("12345678901234567890", 1, "1", None)],
        ),
    ],
    ids=["single", "separated", "no discounts", "json", "mixed", "escapes", "digits stay"],
)
def test_lines(lists: tuple[str, ...], lines: list[tuple[str, int, str, str | None]]) -> None:
    valid, refused = run([order(*lists)], lists_spec())
    assert refused.height == 0
    assert valid.select(*LINE_FIELDS, "line_number").rows() == [
        (product, quantity, Decimal(price), discount and Decimal(discount), number)
        for number, (product, quantity, price, discount) in enumerate(lines, start=1)
    ]
    assert valid["order_id"].unique().to_list() == ["o1"]


@pytest.mark.parametrize(
    ("lists", "problems"),
    [
        (("a,b", "1", "1,1"), ["quantity:unequal_lists"]),
        (("a,b", "1,1", "1,1", "1"), ["discount_unit_price:unequal_lists"]),
        (("a", "1,2", "1,1"), ["quantity:unequal_lists", "regular_unit_price:unequal_lists"]),
        (("", "1", "1"), ["product_id:missing"]),
        (("[]", "[]", "[]"), ["product_id:missing", "quantity:missing", "regular_unit_price:missing"]),
        (("a,", "1,1", "1,1"), ["product_id:missing"]),
        (('["a", null]', "1,1", "1,1"), ["product_id:missing"]),
        (('["a"', "1", "1"), ["product_id:malformed_list"]),
        (('[["a"]]', "1", "1"), ["product_id:malformed_list"]),
        (('["\\ud800"]', "1", "1"), ["product_id:malformed_list"]),
        (
            ("a,b", "0,x", "1,-1"),
            ["quantity:not_positive", "quantity:not_an_integer", "regular_unit_price:negative"],
        ),
        (("a,b,c", "0,0,1", "1,1,1"), ["quantity:not_positive"]),
    ],
)
def test_a_bad_list_refuses_the_row_whole(lists: tuple[str, ...], problems: list[str]) -> None:
    valid, refused = run([order(*lists), order("z", "1", "1")], lists_spec())
    assert valid["row_number"].to_list() == [2]
    assert refused["row_number"].to_list() == [1]
    assert refused["problems"].to_list() == [problems]
    assert f"{refused['field'].item()}:{refused['reason'].item()}" == problems[0]
    assert json.loads(refused["text"].item())["product_id"] == lists[0]


def test_personal_data_in_any_element_hides_the_list() -> None:
    _, refused = run([order("a,jane@mail.example", "1,1", "1,1")], lists_spec())
    assert json.loads(refused["text"].item())["product_id"] == "***"


def test_a_separator_of_several_characters() -> None:
    valid, _ = run([order("a,1||b", "1||2", "1||1")], lists_spec("||"))
    assert valid["product_id"].to_list() == ["a,1", "b"]


_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="@%+\uff0b")
_PRODUCT = st.text(_CHARACTERS, min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and text not in {"NULL", "null", "\\N"}
)


@UNTIMED
@given(st.lists(st.lists(_PRODUCT, min_size=1, max_size=5), max_size=4), st.booleans())
def test_json_lists_come_back(orders: list[list[str]], as_ascii: bool) -> None:
    rows = [
        order(
            json.dumps(products, ensure_ascii=as_ascii),
            json.dumps([1] * len(products)),
            json.dumps([1] * len(products)),
        )
        for products in orders
    ]
    valid, refused = run(rows, lists_spec())
    assert refused.height == 0
    assert valid.select("row_number", "line_number", "product_id").rows() == [
        (row, line, product)
        for row, products in enumerate(orders, start=1)
        for line, product in enumerate(products, start=1)
    ]


@UNTIMED
@given(st.lists(st.text(st.sampled_from('["a\\1,null]u0d8 '), max_size=12), max_size=6))
def test_no_list_text_crashes_and_no_row_is_lost(texts: list[str]) -> None:
    valid, refused = run([order(text, "1", "1") for text in texts], lists_spec())
    rows = sorted([*valid["row_number"].unique().to_list(), *refused["row_number"].to_list()])
    assert rows == list(range(1, len(texts) + 1))
