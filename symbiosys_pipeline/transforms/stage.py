"""From the live slices of one event day to its distinct rows: the staging tables. No sessions, no revenue.

The functions read two relations that the caller has put on the connection:

* `slices`: every live slice of the day, STANDARDIZED columns of one dataset, in any order.
* `deliveries`: `delivery_id` VARCHAR, `delivery_day` DATE, `source_key` VARCHAR, one row for each of them.

What is kept and in which order depends on contents, delivery days, source keys and row numbers only: never on
the order of the input, on a delivery's id or on the number of threads.
"""

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from symbiosys_pipeline.contracts.columns import Dataset, Level
from symbiosys_pipeline.contracts.layers import STAGING_TABLES
from symbiosys_pipeline.contracts.orders import ORDERS
from symbiosys_pipeline.contracts.page_views import PAGE_VIEWS
from symbiosys_pipeline.contracts.profile import LineLayout
from symbiosys_pipeline.transforms.sql import ascending, column_list, statement

#: Columns of a page view's content: all the client said about it but the id of the event.
_CONTENT = tuple(name for name in PAGE_VIEWS.names() if name != "event_id")

_HASHED = tuple(name for name in PAGE_VIEWS.names() if name not in {"event_ts", "visitor_id"})

#: What puts views of one visitor and instant in an order that is the same in any lake: a hash of all other
#: fields. Sorting by the fields themselves says no more, and makes every window carry them.
VIEW_HASH = f"md5_number(to_json(row({column_list(_HASHED)})))"

#: The order of page views everywhere: by time, visitor, then content. No two staged views are equal in it.
VIEW_ORDER = f"event_ts ASC, visitor_id ASC, {VIEW_HASH} ASC"

_LINE_ORDER = ascending(column.name for column in ORDERS.of_level(Level.LINE))

#: Column names of the staging tables.
STAGED_PAGE_VIEWS = tuple(column.name for column in STAGING_TABLES[Dataset.PAGE_VIEWS])
STAGED_ORDERS = tuple(column.name for column in STAGING_TABLES[Dataset.ORDERS])


def stage_page_views(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The day's distinct page views (CONTRACT 2.1 `event_id`, 6).

    Copies share the `event_id`, or have none and agree in every other field, nulls included. Of copies with
    an id the earliest `event_ts` is kept, then the newest delivery day, then the first source key and row; of
    copies without one the oldest delivery day, then the first source key and row.

    Returns:
        Columns `STAGED_PAGE_VIEWS`; `event_ts` UTC. Sorted by `event_ts`, `visitor_id`, then a hash of
        the other fields.
    """
    return con.sql(
        statement(
            "stage_page_views",
            content=column_list(_CONTENT),
            columns=column_list(STAGED_PAGE_VIEWS),
            view_order=VIEW_ORDER,
        )
    )


def stage_orders(con: DuckDBPyConnection, layout: LineLayout) -> DuckDBPyRelation:
    """The day's distinct orders, one row per line (CONTRACT 6 "orders are unique").

    An occurrence of an order is its lines by one visitor within one delivery, or within one row for
    `list_columns`. Occurrences with the same order id, visitor and multiset of lines are duplicates: the one
    of the newest delivery day, then the last source key and row, is kept, so that a re-sent status wins.
    Equal lines inside one occurrence are two lines. Different occurrences of one order id are a collision:
    each is kept once, as a variant.

    Args:
        con: Has `slices` and `deliveries`.
        layout: How the client's files lay out an order's lines.

    Returns:
        Columns `STAGED_ORDERS`: the STANDARDIZED ones with `line_number` Int32 counted anew from 1 within
        each kept occurrence, `variant` Int32 (1; in a collision 1..k by visitor and lines) and
        `is_collision` Boolean. (`order_id`, `variant`, `line_number`) is unique. Sorted by `event_ts`,
        `order_id`, `variant`, `line_number`.
    """
    return con.sql(
        statement(
            "stage_orders",
            occurrence_row=_occurrence_row(layout),
            line_order=_LINE_ORDER,
            columns=column_list(STAGED_ORDERS),
        )
    )


def count_duplicates(con: DuckDBPyConnection, dataset: Dataset, layout: LineLayout) -> int:
    """How many rows of `slices` staging leaves out: page views, or order lines.

    Counted from the sizes of the groups of copies, not from what staging returned, so that
    *rows in = rows out + duplicates* is a check and not an identity (CONTRACT 8, the books).

    Args:
        con: Has `slices`.
        dataset: Which dataset the slices hold.
        layout: How the client's files lay out an order's lines; page views do not depend on it.
    """
    match dataset:
        case Dataset.PAGE_VIEWS:
            query = statement("count_page_view_duplicates", content=column_list(_CONTENT))
        case Dataset.ORDERS:
            query = statement(
                "count_order_duplicates", occurrence_row=_occurrence_row(layout), line_order=_LINE_ORDER
            )
    return int(con.sql(query).fetchall()[0][0])


def _occurrence_row(layout: LineLayout) -> str:
    """What tells an order's occurrences within one delivery apart: nothing, or the row they are in."""
    match layout:
        case LineLayout.ROW_PER_LINE:
            return "0::BIGINT"
        case LineLayout.LIST_COLUMNS:
            return "row_number"
