"""Revenue to the cent, flags, and the published shape of the event tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbiosys_pipeline.contracts.profile import DiscountMeaning
from symbiosys_pipeline.contracts.tables import TABLES, Table
from symbiosys_pipeline.transforms import events
from symbiosys_pipeline.transforms.quarantine import QUARANTINE_SCHEMA
from symbiosys_pipeline.transforms.sessions import EventDay
from symbiosys_pipeline_tests.transforms.relations import (
    DAY,
    MIDNIGHT,
    at,
    connection,
    staged_line_rows,
    view_rows,
)

TODAY = EventDay(
    DAY,
    MIDNIGHT,
    MIDNIGHT - timedelta(days=1),
    discount_meaning=DiscountMeaning.NET_PRICE,
    cancelled_statuses=("Cancelled",),
    returned_statuses=("RETURNED",),
)
BUILDERS: dict[Table, Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation]] = {
    Table.PAGE_VIEWS: events.page_views,
    Table.ORDERS: events.orders,
    Table.ORDER_LINES: events.order_lines,
    Table.SESSIONS: events.sessions,
}


def _publish(
    lines: pl.DataFrame, views: pl.DataFrame | None = None, day: EventDay = TODAY
) -> dict[Table, pl.DataFrame]:
    views = view_rows({"event_ts": at(1)}) if views is None else views
    con = connection(views=views, previous_views=view_rows(), order_lines_staged=lines)
    events.prepare(con, day)
    tables = {table: build(con).pl() for table, build in BUILDERS.items()}
    con.close()
    return tables


@pytest.mark.parametrize("table", BUILDERS, ids=str)
def test_a_published_table_has_the_documented_columns(table: Table) -> None:
    frame = _publish(staged_line_rows({"event_ts": at(2)}))[table]
    assert dict(frame.schema) == {column.name: column.dtype for column in TABLES[table]}
    assert frame.height == 1


def test_quarantine_is_documented_as_it_is_written() -> None:
    assert {column.name: column.dtype for column in TABLES[Table.QUARANTINE]} == QUARANTINE_SCHEMA


@pytest.mark.parametrize(
    ("meaning", "regular", "discount", "net", "revenue"),
    [
        pytest.param(DiscountMeaning.NET_PRICE, "19.99", "15.49", "15.49", "46.47", id="net-price"),
        pytest.param(
            DiscountMeaning.NET_PRICE, "19.99", None, "19.99", "59.97", id="net-price-without-discount"
        ),
        pytest.param(DiscountMeaning.NET_PRICE, "19.99", "0", "0", "0", id="net-price-free"),
        pytest.param(DiscountMeaning.AMOUNT_OFF, "19.99", "4.50", "15.49", "46.47", id="amount-off"),
        pytest.param(
            DiscountMeaning.AMOUNT_OFF, "19.99", None, "19.99", "59.97", id="amount-off-without-discount"
        ),
        pytest.param(DiscountMeaning.UNDECLARED, "19.99", "15.49", None, None, id="undeclared"),
        pytest.param(DiscountMeaning.UNDECLARED, "19.99", None, None, None, id="undeclared-without-discount"),
    ],
)
def test_revenue_follows_what_the_discount_means(
    meaning: DiscountMeaning, regular: str, discount: str | None, net: str | None, revenue: str | None
) -> None:
    line = {"event_ts": at(2), "quantity": 3, "regular_unit_price": regular, "discount_unit_price": discount}
    tables = _publish(staged_line_rows(line), day=replace(TODAY, discount_meaning=meaning))
    expected = None if revenue is None else Decimal(revenue)
    assert tables[Table.ORDER_LINES]["net_unit_price"].to_list() == [None if net is None else Decimal(net)]
    for table in (Table.ORDER_LINES, Table.ORDERS, Table.SESSIONS):
        assert tables[table]["revenue"].to_list() == [expected], table


@pytest.mark.parametrize(
    ("order", "cancelled", "returned", "attributable"),
    [
        pytest.param({"status": "paid"}, False, False, True, id="plain"),
        pytest.param({"status": None}, False, False, True, id="no-status"),
        pytest.param({"status": "CANCELLED"}, True, False, False, id="cancelled-in-any-case"),
        pytest.param({"status": "returned"}, False, True, True, id="returned-in-any-case"),
        pytest.param({"user_opt_out": True}, False, False, False, id="opted-out"),
        pytest.param({"is_collision": True}, False, False, False, id="collision"),
    ],
)
def test_an_order_is_flagged(
    order: dict[str, Any], cancelled: bool, returned: bool, attributable: bool
) -> None:
    tables = _publish(staged_line_rows({"event_ts": at(2), **order}))
    for table in (Table.ORDERS, Table.ORDER_LINES):
        flags = tables[table].select("is_cancelled", "is_returned", "is_attributable").row(0)
        assert flags == (cancelled, returned, attributable)


def test_collisions_are_listed_and_never_summed() -> None:
    lines = staged_line_rows(
        {"event_ts": at(2), "is_collision": True, "variant": 1},
        {"event_ts": at(2), "is_collision": True, "variant": 2, "quantity": 7},
        {"event_ts": at(2), "order_id": "other", "quantity": 2},
    )
    tables = _publish(lines)
    summed = tables[Table.ORDERS].select("order_id", "variant", "units", "revenue").rows()
    assert summed == [("o", 1, 1, None), ("o", 2, 7, None), ("other", 1, 2, Decimal(20))]
    counted = tables[Table.SESSIONS].select("orders", "units", "revenue", "currency").rows()
    assert counted == [(1, 2, Decimal(20), "EUR")]


@pytest.mark.parametrize(
    ("lines", "revenue"),
    [
        pytest.param([{"currency": "EUR"}, {"currency": "USD", "line_number": 2}], None, id="two-currencies"),
        pytest.param(
            [{}, {"line_number": 2, "quantity": 10**15, "regular_unit_price": "99999999999999.9999"}],
            None,
            id="too-large-for-the-column",
        ),
        pytest.param([{}, {"line_number": 2}], Decimal(20), id="two-lines"),
    ],
)
def test_an_order_has_all_of_its_revenue_or_none(
    lines: list[dict[str, Any]], revenue: Decimal | None
) -> None:
    tables = _publish(staged_line_rows(*({"event_ts": at(2), **line} for line in lines)))
    assert tables[Table.ORDERS]["revenue"].to_list() == [revenue]
    assert tables[Table.ORDERS]["line_count"].to_list() == [2]


def test_a_session_without_orders_has_no_revenue_to_add() -> None:
    (session,) = _publish(staged_line_rows())[Table.SESSIONS].to_dicts()
    assert (session["orders"], session["units"], session["revenue"]) == (0, 0, Decimal(0))
    undeclared = replace(TODAY, discount_meaning=DiscountMeaning.UNDECLARED)
    (session,) = _publish(staged_line_rows(), day=undeclared)[Table.SESSIONS].to_dicts()
    assert session["revenue"] is None


def test_a_session_knows_its_last_customer_and_any_opt_out() -> None:
    views = view_rows(
        {"event_ts": at(1), "crm_id": "first", "platform": "ios"},
        {"event_ts": at(2), "crm_id": "last", "user_opt_out": True},
        {"event_ts": at(3)},
    )
    tables = _publish(staged_line_rows(), views)
    (session,) = tables[Table.SESSIONS].to_dicts()
    assert (session["crm_id"], session["platform"], session["views"]) == ("last", "ios", 3)
    assert (session["is_opted_out"], session["is_attributable"]) == (True, False)
    assert tables[Table.PAGE_VIEWS]["is_attributable"].to_list() == [True, False, True]


PRICES = st.decimals(min_value=0, max_value=9999, places=2).map(str)


@settings(max_examples=25, deadline=None)
@given(
    prices=st.lists(
        st.tuples(st.integers(1, 50), PRICES, st.none() | PRICES, st.sampled_from("abc")),
        min_size=1,
        max_size=12,
    ),
    meaning=st.sampled_from([DiscountMeaning.NET_PRICE, DiscountMeaning.AMOUNT_OFF]),
)
def test_revenue_balances_to_the_cent(
    prices: list[tuple[int, str, str | None, str]], meaning: DiscountMeaning
) -> None:
    rows: list[dict[str, Any]] = []
    expected: dict[str, Decimal] = {}
    for quantity, regular, discount, order_id in sorted(prices, key=lambda price: price[3]):
        line_number = sum(row["order_id"] == order_id for row in rows) + 1
        rows.append(
            {
                "order_id": order_id,
                "event_ts": at(2),
                "quantity": quantity,
                "regular_unit_price": regular,
                "discount_unit_price": discount,
                "line_number": line_number,
            }
        )
        if meaning is DiscountMeaning.NET_PRICE:
            net = Decimal(regular if discount is None else discount)
        else:
            net = Decimal(regular) - Decimal(discount or 0)
        expected[order_id] = expected.get(order_id, Decimal(0)) + quantity * net
    tables = _publish(staged_line_rows(*rows), day=replace(TODAY, discount_meaning=meaning))
    assert dict(tables[Table.ORDERS].select("order_id", "revenue").iter_rows()) == expected
    total = sum(expected.values(), Decimal(0))
    assert sum(tables[Table.ORDER_LINES]["revenue"], Decimal(0)) == total
    assert tables[Table.SESSIONS]["revenue"].to_list() == [total]


def test_the_files_are_the_same_byte_for_byte_with_any_number_of_threads(tmp_path: Path) -> None:
    con = connection(
        one=view_rows({}), one_line=staged_line_rows({}), previous_views=view_rows({"event_ts": at(-5)})
    )
    con.execute(
        "CREATE TABLE views AS SELECT one.* REPLACE ("
        "event_ts + to_seconds((hash(i) % 86400)::BIGINT) AS event_ts, 'v' || hash(i) % 9000 AS visitor_id, "
        "i::BIGINT AS row_number, 'https://shop.example/p/' || i AS page_url) "
        "FROM one, range(300000) AS numbers(i)"
    )
    con.execute(
        "CREATE TABLE order_lines_staged AS SELECT one_line.* REPLACE ("
        "event_ts + to_seconds((hash(i) % 86400)::BIGINT) AS event_ts, 'v' || hash(i) % 9000 AS visitor_id, "
        "'o' || i AS order_id) FROM one_line, range(5000) AS numbers(i)"
    )
    written: list[dict[Table, bytes]] = []
    for threads in (1, 2, 2):
        con.execute(f"SET threads = {threads}")
        events.prepare(con, TODAY)
        path = tmp_path / "table.parquet"
        files: dict[Table, bytes] = {}
        for table, build in BUILDERS.items():
            build(con).write_parquet(str(path), compression="zstd", overwrite=True)
            files[table] = path.read_bytes()
        written.append(files)
    assert written[0] == written[1] == written[2]
