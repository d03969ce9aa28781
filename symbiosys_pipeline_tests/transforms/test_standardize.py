"""Rows as a whole: schemas, balance, refusals with their text, restrictions."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.layers import standardized_schema
from symbiosys_pipeline.transforms.quarantine import QUARANTINE_SCHEMA
from symbiosys_pipeline.transforms.raw_chunks import ROW_NUMBER
from symbiosys_pipeline.transforms.standardize import (
    Standardized,
    refuse_incomplete_orders,
    refuse_structural,
    standardize,
)
from symbiosys_pipeline_tests.transforms.standardizing import (
    DELIVERY_ID,
    NOON_MS,
    ORDER,
    PAGE_VIEW,
    UNTIMED,
    run,
    spec_of,
)

LISTS = {"line_layout": "list_columns"}


def assert_schemas(result: Standardized, dataset: Dataset) -> None:
    assert result.valid.schema == standardized_schema(dataset)
    assert result.refused.schema == QUARANTINE_SCHEMA


@pytest.mark.parametrize("orders", [{}, LISTS], ids=["row per line", "lists"])
@pytest.mark.parametrize("dataset", list(Dataset))
@pytest.mark.parametrize("height", [0, 2])
def test_schemas_also_when_empty_or_without_columns(
    dataset: Dataset, orders: dict[str, str], height: int
) -> None:
    spec = spec_of(dataset, orders=orders)
    good = ORDER if dataset is Dataset.ORDERS else PAGE_VIEW
    assert_schemas(run([good, {}][:height], spec), dataset)
    numbers = pl.DataFrame({ROW_NUMBER: pl.Series(range(height), dtype=pl.Int64)})
    bare = standardize(numbers, {"visitor_id": "not there"}, spec)
    assert_schemas(bare, dataset)
    assert bare.refused["text"].to_list() == ["{}"] * height


def test_standardized_columns_are_the_contracts() -> None:
    names = standardized_schema(Dataset.ORDERS).names()
    assert names == [
        *SCHEMAS[Dataset.ORDERS].names(),
        "event_day",
        "delivery_id",
        "row_number",
        "line_number",
    ]
    assert "line_number" not in standardized_schema(Dataset.PAGE_VIEWS).names()


def test_first_problem_in_contract_order_and_all_of_them() -> None:
    row = {"event_ts": "now", "visitor_id": " ", "page_url": "https://s.example/", "platform": "tv"}
    _, refused = run([row], spec_of())
    assert refused.drop("text").rows(named=True) == [
        {
            "delivery_id": DELIVERY_ID,
            "row_number": 1,
            "event_day": None,
            "order_id": None,
            "reason": "unparseable_timestamp",
            "field": "event_ts",
            "problems": ["event_ts:unparseable_timestamp", "visitor_id:missing", "platform:not_allowed"],
        }
    ]
    assert json.loads(refused["text"].item()) == row


def test_rows_come_out_in_order_whatever_order_they_came_in() -> None:
    rows = pl.DataFrame({ROW_NUMBER: [3, 1, 2], "t": [NOON_MS] * 3, "v": ["c", "a", "b"], "u": ["x"] * 3})
    valid, _ = standardize(rows, {"event_ts": "t", "visitor_id": "v", "page_url": "u"}, spec_of())
    assert valid.select("row_number", "visitor_id").rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_restrictions_hold_in_valid_rows_and_in_quarantine() -> None:
    spec = spec_of(restrictions={"drop_fields": ["crm_id"], "drop_query_parameters": ["mail"]})
    row = {**PAGE_VIEW, "crm_id": "c1", "page_url": "https://s.example/?mail=jane&a=1"}
    valid, refused = run([row, {**row, "visitor_id": ""}], spec)
    assert valid.select("crm_id", "page_url").rows() == [(None, "https://s.example/?a=1")]
    text = json.loads(refused["text"].item())
    assert "crm_id" not in text
    assert text["page_url"] == "https://s.example/?a=1"


def test_a_refused_value_is_shown_nowhere() -> None:
    row = {**PAGE_VIEW, "crm_id": "janedoe@mail.example", "hashed_email": "janedoe"}
    _, refused = run([row], spec_of())
    assert refused["problems"].item().to_list() == [
        "crm_id:personal_data_in_clear",
        "hashed_email:not_a_sha256",
    ]
    assert "janedoe" not in refused.write_json()


def test_a_personal_order_id_is_masked() -> None:
    _, refused = run([{**ORDER, "order_id": "janedoe@mail.example"}], spec_of(Dataset.ORDERS))
    assert refused["order_id"].to_list() == ["***"]


def test_structural_refusals() -> None:
    raw = pl.DataFrame(
        {"row_number": [4, 2], "reason": ["too_few_fields", "nul_byte"], "text": ["xx,9", "�"]},
        schema={"row_number": pl.Int64, "reason": pl.String, "text": pl.String},
    )
    refused = refuse_structural(raw, spec_of())
    assert refused.schema == QUARANTINE_SCHEMA
    assert refused.rows() == [
        (DELIVERY_ID, 2, None, None, "nul_byte", None, ["record:nul_byte"], "�"),
        (DELIVERY_ID, 4, None, None, "too_few_fields", None, ["record:too_few_fields"], "xx,9"),
    ]
    assert refuse_structural(raw.clear(), spec_of()).schema == QUARANTINE_SCHEMA


def test_an_order_is_read_whole_or_not_at_all() -> None:
    rows = [
        ORDER,
        {**ORDER, "product_id": "p2", "quantity": "none"},
        {**ORDER, "order_id": "o2"},
        {**ORDER, "product_id": "p3"},
        {**ORDER, "order_id": "", "quantity": "0"},
    ]
    spec = spec_of(Dataset.ORDERS)
    result = refuse_incomplete_orders(*run(rows, spec))
    assert_schemas(result, Dataset.ORDERS)
    assert result.valid["row_number"].to_list() == [3]
    assert result.refused.select("row_number", "order_id", "reason", "field", "problems").rows() == [
        (1, "o1", "order_incomplete", "order_id", ["order_id:order_incomplete"]),
        (2, "o1", "not_an_integer", "quantity", ["quantity:not_an_integer"]),
        (4, "o1", "order_incomplete", "order_id", ["order_id:order_incomplete"]),
        (5, None, "missing", "order_id", ["order_id:missing", "quantity:not_positive"]),
    ]
    assert json.loads(result.refused["text"][0])["regular_unit_price"] == "9.9000"
    assert result.refused["event_day"].is_null().sum() == 0
    unchanged = refuse_incomplete_orders(*run([ORDER], spec))
    assert (unchanged.valid.height, unchanged.refused.height) == (1, 0)


_TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "NULL", NOON_MS, "1", "1,2", "-1", "0.5", "web", "[1]", "a" * 64]),
    st.text(max_size=12),
)


@settings(UNTIMED, max_examples=60)
@given(st.data(), st.sampled_from(list(Dataset)), st.sampled_from([{}, LISTS]))
def test_every_row_is_valid_or_refused_exactly_once(
    data: st.DataObject, dataset: Dataset, orders: dict[str, str]
) -> None:
    good = ORDER if dataset is Dataset.ORDERS else PAGE_VIEW
    names = SCHEMAS[dataset].names()
    broken = st.dictionaries(st.sampled_from(names), _TEXTS, max_size=4)
    rows: list[dict[str, Any]] = [{**good, **changes} for changes in data.draw(st.lists(broken, max_size=6))]
    spec = spec_of(dataset, orders=orders)
    result = run(rows, spec)
    assert_schemas(result, dataset)
    accounted = [*result.valid["row_number"].unique().to_list(), *result.refused["row_number"].to_list()]
    assert sorted(accounted) == list(range(1, len(rows) + 1))
    assert result.refused["problems"].list.len().fill_null(0).min() != 0
    again = run(rows, spec)
    assert again.valid.equals(result.valid)
    assert again.refused.equals(result.refused)


@pytest.mark.parametrize("orders", [{}, LISTS], ids=["row per line", "lists"])
@pytest.mark.parametrize("secret", ["janedoe@mail.example", "+33612345678"])
@pytest.mark.parametrize("dataset", list(Dataset))
def test_nothing_planted_in_any_column_shows_in_quarantine(
    dataset: Dataset, secret: str, orders: dict[str, str]
) -> None:
    good = ORDER if dataset is Dataset.ORDERS else PAGE_VIEW
    # No visitor id, so that every row is refused, whatever is planted beside it.
    rows = [{**good, "visitor_id": None, name: secret} for name in SCHEMAS[dataset].names()]
    result = run(rows, spec_of(dataset, orders=orders))
    assert result.refused.height == len(rows)
    shown = result.refused.write_json()
    assert "janedoe" not in shown
    assert "612345678" not in shown
