"""The tables the pipeline publishes: their columns, dtypes, units and zones (CONTRACT 8). No rows, no SQL.

Every table is partitioned by the client's local event day. DuckDB writes them, and it stores an instant in
microseconds only: published timestamps are `Datetime("us", "UTC")`, their values whole milliseconds.
"""

from enum import StrEnum

import polars as pl

from symbiosys_pipeline.contracts.columns import MONEY, TIMESTAMP, Column, Level, TableColumn
from symbiosys_pipeline.contracts.orders import ORDERS
from symbiosys_pipeline.contracts.page_views import PAGE_VIEWS

#: An instant as DuckDB writes it.
PUBLISHED_TIMESTAMP = pl.Datetime("us", "UTC")


class Table(StrEnum):
    """The published tables."""

    PAGE_VIEWS = "page_views"
    ORDERS = "orders"
    ORDER_LINES = "order_lines"
    SESSIONS = "sessions"
    QUARANTINE = "quarantine"


_OPTED_OUT = TableColumn(
    "is_opted_out", pl.Boolean(), "True where the user opted out: kept, never attributed."
)
_EVENT_DAY = TableColumn("event_day", pl.Date(), "The client's local day of the event; the partition.")
_SESSION_SOURCE = TableColumn(
    "session_source", pl.String(), "`client` where the client sent the session id, `derived` by inactivity."
)
_SESSION_ID = TableColumn(
    "session_id", pl.String(), "The client's session id, else a derived one; unique only within a visitor."
)
_VARIANT = TableColumn(
    "variant", pl.Int32(), "1; counts on where different orders share one order_id (a collision)."
)
_DELIVERY_ID = TableColumn("delivery_id", pl.String(), "The delivery the row came in.")
_ROW_NUMBER = TableColumn("row_number", pl.Int64(), "Its data record in the delivered file, from 1.")
_ORDER_FLAGS = (
    TableColumn("is_cancelled", pl.Boolean(), "True where the status is one of the client's cancellations."),
    TableColumn("is_returned", pl.Boolean(), "True where the status is one of the client's returns."),
    TableColumn(
        "is_collision", pl.Boolean(), "True where another order has the same order_id; never summed."
    ),
    TableColumn(
        "is_attributable", pl.Boolean(), "True where neither opted out, nor in collision, nor cancelled."
    ),
)
_LANDING = (
    TableColumn(
        "landing_url", pl.String(), "Full URL of the session's first view; null where none is known."
    ),
    TableColumn("landing_referrer", pl.String(), "Full referring URL of the session's first view."),
)


def _published(column: Column) -> TableColumn:
    if column.name == "user_opt_out":
        return _OPTED_OUT
    if column.name == "session_id":
        return _SESSION_ID
    dtype = PUBLISHED_TIMESTAMP if column.dtype == TIMESTAMP else column.dtype
    return TableColumn(column.name, dtype, column.description)


_LINE = {column.name: _published(column) for column in ORDERS.of_level(Level.LINE)}
_ORDER = {column.name: _published(column) for column in ORDERS.of_level(Level.EVENT)}

PAGE_VIEWS_TABLE: tuple[TableColumn, ...] = (
    *(_published(column) for column in PAGE_VIEWS.columns),
    _EVENT_DAY,
    _SESSION_SOURCE,
    TableColumn("is_landing", pl.Boolean(), "True for the first view of its session."),
    TableColumn("is_attributable", pl.Boolean(), "True where the user did not opt out."),
    _DELIVERY_ID,
    _ROW_NUMBER,
)

ORDERS_TABLE: tuple[TableColumn, ...] = (
    *_ORDER.values(),
    _EVENT_DAY,
    TableColumn(
        "session_source",
        pl.String(),
        "`client` or `derived`, as the session's id came about; null where the order has no session.",
    ),
    *_LANDING,
    TableColumn(
        "revenue",
        MONEY,
        "Sum of its lines' revenue, in `currency`. Null in a collision, while the meaning of the discount is "
        "undeclared, where the lines name several currencies, and above 14 digits before the point.",
    ),
    TableColumn("units", pl.Int64(), "Sum of the lines' quantities."),
    TableColumn("line_count", pl.Int32(), "Number of lines."),
    *_ORDER_FLAGS,
    _VARIANT,
    _DELIVERY_ID,
    _ROW_NUMBER,
)

ORDER_LINES_TABLE: tuple[TableColumn, ...] = (
    _ORDER["order_id"],
    _VARIANT,
    TableColumn("line_number", pl.Int32(), "Position of the line within its order, from 1."),
    *_LINE.values(),
    TableColumn(
        "net_unit_price",
        MONEY,
        "What one unit cost after discount, in `currency`; null while the discount's meaning is undeclared.",
    ),
    TableColumn(
        "revenue", MONEY, "Quantity x net unit price, in `currency`; null as the order's revenue is."
    ),
    _ORDER["currency"],
    _ORDER["event_ts"],
    _EVENT_DAY,
    _ORDER["visitor_id"],
    *_ORDER_FLAGS,
    _DELIVERY_ID,
    _ROW_NUMBER,
)

SESSIONS_TABLE: tuple[TableColumn, ...] = (
    _EVENT_DAY,
    _SESSION_ID,
    TableColumn("visitor_id", pl.String(), "The visitor; sessions are theirs."),
    _SESSION_SOURCE,
    TableColumn(
        "session_start_ts",
        PUBLISHED_TIMESTAMP,
        "First view of the session, UTC; it may lie on the day before, and no earlier.",
    ),
    TableColumn(
        "continues_previous_day", pl.Boolean(), "True where the session began before this event day."
    ),
    TableColumn(
        "split_reason",
        pl.String(),
        "Why a derived session starts where it does: `inactivity`, or `midnight` where activity without a "
        "pause covers the whole day before. Null for the client's own sessions.",
    ),
    TableColumn("first_view_ts", PUBLISHED_TIMESTAMP, "First view on this event day, UTC."),
    TableColumn("last_view_ts", PUBLISHED_TIMESTAMP, "Last view on this event day, UTC."),
    TableColumn("views", pl.Int64(), "Page views on this event day."),
    *_LANDING,
    TableColumn("crm_id", pl.String(), "The last customer id seen on this event day."),
    TableColumn("platform", pl.String(), "Platform of the first view on this event day: web, ios, android."),
    TableColumn("orders", pl.Int64(), "Orders of this event day without collisions."),
    TableColumn("units", pl.Int64(), "Their units."),
    TableColumn(
        "revenue",
        MONEY,
        "Their revenue, in `currency`; 0 without orders, null where it is unknown or in several currencies.",
    ),
    TableColumn(
        "currency", pl.String(), "ISO 4217 code of those orders; null where there are none or several."
    ),
    _OPTED_OUT,
    TableColumn("is_attributable", pl.Boolean(), "True where no view of the session opted out."),
)

QUARANTINE_TABLE: tuple[TableColumn, ...] = (
    _DELIVERY_ID,
    _ROW_NUMBER,
    TableColumn("event_day", pl.Date(), "The client's local day; null where the row has no valid time."),
    TableColumn("order_id", pl.String(), "The order's id; null for page views and where unreadable."),
    TableColumn("reason", pl.String(), "Why the row was refused: its first problem."),
    TableColumn("field", pl.String(), "The contract field of that problem; null where none is to blame."),
    TableColumn("problems", pl.List(pl.String()), "Every problem of the row as `field:reason`."),
    TableColumn("text", pl.String(), "The row as delivered, personal data masked."),
)

TABLES: dict[Table, tuple[TableColumn, ...]] = {
    Table.PAGE_VIEWS: PAGE_VIEWS_TABLE,
    Table.ORDERS: ORDERS_TABLE,
    Table.ORDER_LINES: ORDER_LINES_TABLE,
    Table.SESSIONS: SESSIONS_TABLE,
    Table.QUARANTINE: QUARANTINE_TABLE,
}

#: The attribution-ready tables, published together per event day.
EVENT_TABLES = (Table.PAGE_VIEWS, Table.ORDERS, Table.ORDER_LINES, Table.SESSIONS)
