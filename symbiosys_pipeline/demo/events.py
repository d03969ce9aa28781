"""What happened in the invented shops: page views, orders and their lines, as values. No files here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class View:
    """One page view.

    Attributes:
        at: The instant, UTC, whole milliseconds.
        session_id: The shop's own session id; None where the shop sends none.
        hashed_email: SHA-256 of an invented address, lower-case hex.
        event_id: The shop's own event id; None where the shop sends none.
    """

    at: datetime
    visitor_id: str
    session_id: str | None
    crm_id: str | None
    page_url: str
    referrer: str | None
    product_id: str | None
    category_id: str | None
    hashed_email: str | None
    opted_out: bool
    platform: str
    user_agent: str
    event_id: str | None


@dataclass(frozen=True)
class Line:
    """One line of an order; prices in the shop's currency, two decimals.

    Attributes:
        discount: Net price of a unit, or the amount off it, as the shop's profile says; None for no discount.
    """

    product_id: str
    quantity: int
    regular: Decimal
    discount: Decimal | None


@dataclass(frozen=True)
class Order:
    """One order; `at` is UTC with whole milliseconds."""

    order_id: str
    at: datetime
    visitor_id: str
    session_id: str | None
    crm_id: str | None
    hashed_email: str | None
    opted_out: bool
    platform: str
    status: str
    lines: tuple[Line, ...]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The local calendar day of an instant: the event day."""
    return at.astimezone(zone).date()


def epoch_ms(at: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
