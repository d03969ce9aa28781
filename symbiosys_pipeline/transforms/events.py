"""The published tables of one event day: page views, orders, order lines, sessions. No files are written.

`prepare` once per day, then ask for any of the tables. Each is a relation the caller copies to Parquet; its
rows and their order depend on the staged rows of D and on `sessions.carried` only, never on the order of the
input.
"""

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from symbiosys_pipeline.contracts.tables import TABLES, Table
from symbiosys_pipeline.transforms.sessions import EventDay, resolve_sessions
from symbiosys_pipeline.transforms.sql import column_list, statement


def prepare(con: DuckDBPyConnection, day: EventDay) -> None:
    """Resolves the sessions and orders of D on the connection, replacing those of an earlier day.

    Reads `views`, `previous_views` and `order_lines_staged` as `resolve_sessions` does, and creates the
    temporary `priced_lines` (order lines with `net_unit_price` and `revenue`) and `resolved_orders` (one row
    per order) beside what that one creates. All of it is narrow or about orders: page views are not copied.
    """
    resolve_sessions(con, day)
    con.execute(f"CREATE OR REPLACE TEMP VIEW priced_lines AS {statement('priced_lines')}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE resolved_orders AS {statement('resolved_orders')}")


def page_views(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The distinct page views of D with their sessions, after `prepare`.

    Returns:
        Columns of `PAGE_VIEWS_TABLE`; `session_id` is never null. Sorted by `event_ts` (UTC), `visitor_id`,
        then content.
    """
    return con.sql(statement("page_views", columns=_columns(Table.PAGE_VIEWS)))


def orders(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The orders of D, one row per variant where an id collides, after `prepare`.

    An order's session is the one it names, else that of its visitor's last view at or before it within the
    timeout, on D or D-1; none where that view belongs to a chain that is cut at midnight.

    Returns:
        Columns of `ORDERS_TABLE`, order-level fields from the order's first line. Money is Decimal(18, 4) in
        `currency`. Sorted by `event_ts` (UTC), `order_id`, `variant`.
    """
    return con.sql(statement("orders", columns=_columns(Table.ORDERS)))


def order_lines(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The order lines of D with net price and revenue (CONTRACT 2.2), after `prepare`.

    Returns:
        Columns of `ORDER_LINES_TABLE`: time, visitor and flags are the order's, prices, currency and origin
        the line's. Money is Decimal(18, 4). Sorted by `event_ts` (UTC), `order_id`, `variant`, `line_number`.
    """
    return con.sql(statement("order_lines", columns=_columns(Table.ORDER_LINES)))


def sessions(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The sessions with views on D, after `prepare`: one over midnight has one additive row per day.

    `orders`, `units` and `revenue` count the orders of D in the session, cancelled and opted-out ones
    included, collisions not.

    Returns:
        Columns of `SESSIONS_TABLE`. Sorted by `session_start_ts` (UTC), `visitor_id`, `session_id`.
    """
    return con.sql(statement("sessions", columns=_columns(Table.SESSIONS)))


def _columns(table: Table) -> str:
    return column_list(column.name for column in TABLES[table])
