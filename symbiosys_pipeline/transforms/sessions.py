"""Sessions of one event day, from the day itself and the day before. No channels, no revenue, no files.

The client's session id is kept; where there is none, a visitor's sessionless views are split by inactivity
(CONTRACT 2.1). A derived session over midnight must have the same id on both days although each day reads one
day back only. Hence the rule for an unbroken chain of views that reaches into day D:

* It has a start on D-1 that no view of D-2 can precede within the timeout: the chain goes on under that
  start's id. Processing D-1 finds the same start, whatever D-2 holds.
* It covers D-1 from within its first `timeout` on, so it may have begun on any day before: it is cut at D's
  midnight and a session begins with D's first view (`split_reason` `midnight`). Processing D+1 sees the same
  first view.

A client's own session has its id on every day; its start and landing are those of its first view on D-1 or D.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from symbiosys_pipeline.contracts.profile import DiscountMeaning
from symbiosys_pipeline.transforms.sql import statement
from symbiosys_pipeline.transforms.stage import VIEW_HASH, VIEW_ORDER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class EventDay:
    """What the event tables of one client and day depend on beside the rows.

    Attributes:
        event_day: The client's local day, D.
        day_start_utc: The instant D begins where the client is.
        previous_day_start_utc: The instant D-1 begins; 23 to 25 hours earlier where clocks change.
        timeout_minutes: A gap longer than this ends a derived session; an equal one does not.
        discount_meaning: What `discount_unit_price` is.
        cancelled_statuses: Values of `status` that are cancellations, in any case.
        returned_statuses: Values of `status` that are returns, in any case.

    Raises:
        ValueError: A start carries no zone, or D-1 does not begin before D.
    """

    event_day: date
    day_start_utc: datetime
    previous_day_start_utc: datetime
    timeout_minutes: int = 30
    discount_meaning: DiscountMeaning = DiscountMeaning.UNDECLARED
    cancelled_statuses: tuple[str, ...] = ()
    returned_statuses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.day_start_utc.tzinfo is None or self.previous_day_start_utc.tzinfo is None:
            raise ValueError(f"event day {self.event_day}: expected day starts with a time zone")
        if self.previous_day_start_utc >= self.day_start_utc:
            raise ValueError(f"event day {self.event_day}: expected the day before to start before it")


def resolve_sessions(con: DuckDBPyConnection, day: EventDay) -> None:
    """Puts the sessions of D on the connection, replacing those of an earlier call.

    Reads the relations `views` (staged page views of D), `previous_views` (of D-1, may be empty) and
    `order_lines_staged` (staged orders of D). Creates, all temporary: `day_parameters`, the macro
    `derived_session_id`, `carried_facts` (what D takes from D-1), `sessioned_views` (origin, time and visitor
    of each view of D, its `session_id`, `session_source` and `view_number` within the session) and
    `session_parts` (one row per session with views on D).
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE day_parameters AS
        SELECT
            $event_day::DATE AS event_day,
            $day_start_ms::BIGINT AS day_start_ms,
            $previous_day_start_ms::BIGINT AS previous_day_start_ms,
            $timeout_ms::BIGINT AS timeout_ms,
            $discount_meaning::VARCHAR AS discount_meaning,
            list_transform($cancelled::VARCHAR[], lambda status : lower(status)) AS cancelled_statuses,
            list_transform($returned::VARCHAR[], lambda status : lower(status)) AS returned_statuses
        """,
        {
            "event_day": day.event_day,
            "day_start_ms": _epoch_ms(day.day_start_utc),
            "previous_day_start_ms": _epoch_ms(day.previous_day_start_utc),
            "timeout_ms": day.timeout_minutes * 60_000,
            "discount_meaning": day.discount_meaning.value,
            "cancelled": list(day.cancelled_statuses),
            "returned": list(day.returned_statuses),
        },
    )
    # 's' and 124 bits of a hash: the visitor and the first instant say which session it is, on any day.
    con.execute(
        """
        CREATE OR REPLACE TEMP MACRO derived_session_id(visitor, start_ts) AS
        's' || left(md5(visitor || '|' || epoch_ms(start_ts)), 31)
        """
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE carried_facts AS {statement('carried', view_order=VIEW_ORDER)}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE sessioned_views AS {statement('sessioned_views', view_hash=VIEW_HASH)}"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE session_parts AS {statement('session_parts')}")


def carried(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """The facts of D-1 that the outputs of D rest on, after `resolve_sessions`.

    While these rows stay the same, no change of D-1 changes D: hash them to know whether D must be rebuilt.

    Returns:
        `fact` (`session`: a session of D-1 that D goes on with; `last_view`: what an early order follows),
        `visitor_id`, `session_id`, `session_source`, `session_start_ts` UTC, `landing_url`,
        `landing_referrer`, `is_continued` (views of D are in it), `is_cut` (at midnight: id and start are
        those of D's first view), `last_view_ts` UTC. Sorted by the first four, which are unique.
    """
    return con.sql(
        "SELECT * FROM carried_facts "
        "ORDER BY fact ASC, visitor_id ASC, session_id ASC NULLS LAST, session_source ASC"
    )


def _epoch_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)
