"""Which copy of a page view or order is kept, and that the books balance."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import LineLayout
from symbiosys_pipeline.transforms.stage import (
    STAGED_ORDERS,
    STAGED_PAGE_VIEWS,
    count_duplicates,
    stage_orders,
    stage_page_views,
)
from symbiosys_pipeline_tests.transforms.relations import (
    DAY,
    at,
    connection,
    delivery_rows,
    line_rows,
    view_rows,
)

OLD, NEW = "a" * 16, "b" * 16
DELIVERIES = delivery_rows((OLD, DAY, "visits_1"), (NEW, DAY + timedelta(days=1), "visits_2"))
SWAPPED = delivery_rows((NEW, DAY, "visits_1"), (OLD, DAY + timedelta(days=1), "visits_2"))


def _views(frame: pl.DataFrame, deliveries: pl.DataFrame = DELIVERIES) -> pl.DataFrame:
    return stage_page_views(connection(slices=frame, deliveries=deliveries)).pl()


def _orders(frame: pl.DataFrame, layout: LineLayout = LineLayout.ROW_PER_LINE) -> pl.DataFrame:
    return stage_orders(connection(slices=frame, deliveries=DELIVERIES), layout).pl()


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        pytest.param(
            [{"event_id": "e", "event_ts": at(5), "row_number": 1}, {"event_id": "e", "row_number": 2}],
            [2],
            id="event-id-earliest-time",
        ),
        pytest.param(
            [
                {"event_id": "e", "delivery_id": OLD, "row_number": 1},
                {"event_id": "e", "delivery_id": NEW, "row_number": 2},
            ],
            [2],
            id="event-id-newest-delivery-day",
        ),
        pytest.param(
            [{"event_id": "e", "row_number": 9}, {"event_id": "e", "row_number": 3}],
            [3],
            id="event-id-first-row",
        ),
        pytest.param(
            [{"delivery_id": NEW, "row_number": 1}, {"delivery_id": OLD, "row_number": 2}],
            [2],
            id="content-oldest-delivery-day",
        ),
        pytest.param([{"row_number": 4}, {"row_number": 2}], [2], id="content-first-row"),
        pytest.param(
            [{"referrer": None, "row_number": 1}, {"referrer": "", "row_number": 2}],
            [1, 2],
            id="null-is-not-empty",
        ),
        pytest.param(
            [{"event_id": "e", "row_number": 1}, {"row_number": 2}, {"event_id": "f", "row_number": 3}],
            [1, 2, 3],
            id="an-id-is-compared-with-ids-only",
        ),
        pytest.param(
            [{"visitor_id": "v", "row_number": 1}, {"visitor_id": "w", "row_number": 2}],
            [1, 2],
            id="visitors",
        ),
    ],
)
def test_one_copy_of_a_page_view_is_kept(rows: list[dict[str, Any]], kept: list[int]) -> None:
    frame = view_rows(*({"delivery_id": OLD, **row} for row in rows))
    assert sorted(_views(frame)["row_number"]) == kept
    con = connection(slices=frame, deliveries=DELIVERIES)
    duplicates = count_duplicates(con, Dataset.PAGE_VIEWS, LineLayout.ROW_PER_LINE)
    assert duplicates == len(rows) - len(kept)


def test_staged_page_views_have_the_standardized_columns() -> None:
    assert tuple(_views(view_rows({"delivery_id": OLD})).columns) == STAGED_PAGE_VIEWS


VIEWS = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": st.sampled_from([None, None, "e1", "e2"]),
            "event_ts": st.sampled_from([at(1), at(2)]),
            "visitor_id": st.sampled_from(["v", "w"]),
            "referrer": st.sampled_from([None, "", "https://r.example/"]),
            "delivery_id": st.sampled_from([OLD, NEW]),
        }
    ),
    min_size=1,
    max_size=14,
)


def _plain_model(frame: pl.DataFrame) -> Counter[tuple[str, int]]:
    kept: dict[Any, Any] = {}
    for row in frame.iter_rows(named=True):
        is_new = row["delivery_id"] == NEW
        if row["event_id"] is not None:
            key = row["event_id"]
            rank = (row["event_ts"], not is_new, row["row_number"])
        else:
            key = (row["event_ts"], row["visitor_id"], row["referrer"])
            rank = (is_new, row["row_number"])
        copy = (rank, row["delivery_id"], row["row_number"])
        kept[key] = min(kept.get(key, copy), copy)
    return Counter((delivery_id, row_number) for _, delivery_id, row_number in kept.values())


@settings(max_examples=30, deadline=None)
@given(rows=VIEWS, order=st.randoms(use_true_random=False))
def test_page_views_are_those_of_a_plain_model_in_any_input_order(
    rows: list[dict[str, Any]], order: Any
) -> None:
    frame = view_rows(*rows)
    staged = _views(frame)
    assert Counter(staged.select("delivery_id", "row_number").iter_rows()) == _plain_model(frame)
    places = list(range(len(rows)))
    order.shuffle(places)
    assert _views(frame[places]).equals(staged)
    con = connection(slices=frame)
    duplicates = count_duplicates(con, Dataset.PAGE_VIEWS, LineLayout.ROW_PER_LINE)
    assert len(rows) == staged.height + duplicates


@settings(max_examples=15, deadline=None)
@given(rows=VIEWS)
def test_delivery_ids_decide_nothing(rows: list[dict[str, Any]]) -> None:
    frame = view_rows(*rows)
    other_ids = frame.with_columns(pl.col("delivery_id").replace({OLD: NEW, NEW: OLD}))
    without_id = _views(frame).drop("delivery_id")
    assert _views(other_ids, SWAPPED).drop("delivery_id").equals(without_id)


ORDER_CASES = [
    pytest.param(
        [{"status": "new", "delivery_id": OLD}, {"status": "paid", "delivery_id": NEW}],
        [("o", 1, 1, False, "paid")],
        id="resent-order-newest-status",
    ),
    pytest.param(
        [{}, {}], [("o", 1, 1, False, None), ("o", 1, 2, False, None)], id="two-equal-lines-in-one-occurrence"
    ),
    pytest.param(
        [{"delivery_id": OLD}, {"delivery_id": OLD}, {"delivery_id": NEW}],
        [("o", 1, 1, True, None), ("o", 2, 1, True, None), ("o", 2, 2, True, None)],
        id="lines-are-a-multiset",
    ),
    pytest.param(
        [{"product_id": "a"}, {"product_id": "b"}, *({"product_id": p, "delivery_id": NEW} for p in "ba")],
        [("o", 1, 1, False, None), ("o", 1, 2, False, None)],
        id="order-of-lines-does-not-matter",
    ),
    pytest.param(
        [{"visitor_id": "v"}, {"visitor_id": "w"}],
        [("o", 1, 1, True, None), ("o", 2, 1, True, None)],
        id="two-visitors-in-one-occurrence",
    ),
    pytest.param(
        [
            {"quantity": 1},
            {"quantity": 2, "delivery_id": NEW},
            {"quantity": 1, "delivery_id": NEW, "order_id": "x"},
        ],
        [("o", 1, 1, True, None), ("o", 2, 1, True, None), ("x", 1, 1, False, None)],
        id="other-lines-collide",
    ),
    pytest.param(
        [{"discount_unit_price": None}, {"discount_unit_price": "0", "delivery_id": NEW}],
        [("o", 1, 1, True, None), ("o", 2, 1, True, None)],
        id="no-discount-is-not-zero",
    ),
    pytest.param(
        [{"discount_unit_price": None}, {"discount_unit_price": None, "delivery_id": NEW}],
        [("o", 1, 1, False, None)],
        id="missing-discounts-are-equal",
    ),
]


@pytest.mark.parametrize(("rows", "expected"), ORDER_CASES)
def test_one_copy_of_an_order_is_kept_and_collisions_are_variants(
    rows: list[dict[str, Any]], expected: list[tuple[Any, ...]]
) -> None:
    frame = line_rows(*({"delivery_id": OLD, **row} for row in rows))
    staged = _orders(frame)
    assert tuple(staged.columns) == STAGED_ORDERS
    kept = staged.select("order_id", "variant", "line_number", "is_collision", "status").rows()
    assert sorted(kept, key=str) == expected
    con = connection(slices=frame)
    assert count_duplicates(con, Dataset.ORDERS, LineLayout.ROW_PER_LINE) == len(rows) - len(kept)


def test_with_list_columns_each_row_is_an_occurrence() -> None:
    rows = [
        {"row_number": 1, "line_number": 1, "product_id": "a"},
        {"row_number": 1, "line_number": 2, "product_id": "b"},
        {"row_number": 5, "line_number": 1, "product_id": "b"},
        {"row_number": 5, "line_number": 2, "product_id": "a"},
    ]
    frame = line_rows(*({"delivery_id": OLD, **row} for row in rows))
    staged = _orders(frame, LineLayout.LIST_COLUMNS)
    assert staged.select("row_number", "line_number", "product_id", "is_collision").rows() == [
        (5, 1, "b", False),
        (5, 2, "a", False),
    ]
    assert count_duplicates(connection(slices=frame), Dataset.ORDERS, LineLayout.LIST_COLUMNS) == 2


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "order_id": st.sampled_from(["o", "x"]),
                "visitor_id": st.sampled_from(["v", "v", "w"]),
                "product_id": st.sampled_from(["a", "b"]),
                "discount_unit_price": st.sampled_from([None, "1"]),
                "delivery_id": st.sampled_from([OLD, NEW]),
            }
        ),
        min_size=1,
        max_size=10,
    ),
    layout=st.sampled_from(LineLayout),
    order=st.randoms(use_true_random=False),
)
def test_orders_are_those_of_a_plain_model_in_any_input_order(
    rows: list[dict[str, Any]], layout: LineLayout, order: Any
) -> None:
    frame = line_rows(*rows)
    occurrences: dict[Any, list[Any]] = {}
    for row in frame.iter_rows(named=True):
        within = row["row_number"] if layout is LineLayout.LIST_COLUMNS else 0
        key = (row["order_id"], row["visitor_id"], row["delivery_id"] == NEW, within)
        occurrences.setdefault(key, []).append(row)
    newest: dict[Any, Any] = {}
    for (order_id, visitor_id, *age), lines in occurrences.items():
        bag = frozenset(Counter((x["product_id"], x["discount_unit_price"]) for x in lines).items())
        variant = (order_id, visitor_id, bag)
        newest[variant] = max(newest.get(variant, ([False, -1], [])), (age, [x["row_number"] for x in lines]))
    sizes = Counter(order_id for order_id, _, _ in newest)
    expected = Counter(
        (key[0], n, sizes[key[0]] > 1) for key, (_, numbers) in newest.items() for n in numbers
    )

    staged = _orders(frame, layout)
    assert Counter(staged.select("order_id", "row_number", "is_collision").iter_rows()) == expected
    places = list(range(len(rows)))
    order.shuffle(places)
    assert _orders(frame[places], layout).equals(staged)
    duplicates = count_duplicates(connection(slices=frame), Dataset.ORDERS, layout)
    assert len(rows) == staged.height + duplicates
    keys = staged.select("order_id", "variant", "line_number")
    assert keys.is_unique().all()
    assert {
        n
        for (n,) in keys.group_by("order_id", "variant")
        .agg(pl.col("line_number").min() == 1)
        .select("line_number")
        .iter_rows()
    } == {True}


def test_the_file_is_the_same_byte_for_byte_with_any_number_of_threads(tmp_path: Path) -> None:
    con = connection(deliveries=delivery_rows((OLD, date(2026, 3, 10), "visits")))
    con.register("one", view_rows({"delivery_id": OLD}).to_arrow())
    con.execute(
        "CREATE TABLE slices AS SELECT one.* REPLACE ("
        "make_timestamptz(1773100800000000 + (hash(i) % 86400)::BIGINT * 1000000) AS event_ts, "
        "'v' || hash(i) % 5000 AS visitor_id, i::BIGINT AS row_number, "
        "'https://shop.example/p/' || i % 9000 AS page_url) FROM one, range(300000) AS numbers(i)"
    )
    written: list[bytes] = []
    for threads in (1, 2, 2):
        con.execute(f"SET threads = {threads}")
        path = tmp_path / f"{len(written)}.parquet"
        stage_page_views(con).write_parquet(str(path), compression="zstd")
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
