"""What is known to be in the demo deliveries, counted in plain Python from what was planted in them.

An independent model: it shares no code with the pipeline that it is meant to check.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.demo.browsing import Shop
from symbiosys_pipeline.demo.delivery_files import DeliveryFile, Purchase, Refused
from symbiosys_pipeline.demo.events import Line, Order, View, local_day

_TIMEOUT = timedelta(minutes=30)


@dataclass(frozen=True)
class DayTruth:
    """What one client's event day must hold once published.

    Attributes:
        page_views: Distinct page views.
        sessions: Sessions with views on this day; one that runs over midnight counts on both days.
        orders: Rows of the order table: distinct orders, and every variant of a collided order id.
        collided_orders: How many of those rows are variants of a collided id.
        cancelled_orders: How many of those rows have a cancelled status.
        order_lines: Lines of those rows.
        revenue: Sum over all rows but the collided ones, cancelled orders included, in the client's currency.
    """

    page_views: int = 0
    sessions: int = 0
    orders: int = 0
    collided_orders: int = 0
    cancelled_orders: int = 0
    order_lines: int = 0
    revenue: Decimal = Decimal(0)


@dataclass(frozen=True)
class ClientTruth:
    """What one client's live files must become.

    Attributes:
        days: Truth per local event day.
        rows: Rows of the live files per dataset, order lines for orders; a refused record is one row. Equals
            published + duplicates + quarantined.
        quarantined: Refused rows per dataset and reason.
        duplicates: Rows dropped as duplicates per dataset, order lines for orders.
    """

    days: Mapping[date, DayTruth]
    rows: Mapping[Dataset, int]
    quarantined: Mapping[Dataset, Mapping[str, int]]
    duplicates: Mapping[Dataset, int]


@dataclass(frozen=True)
class Truth:
    """The known truth of all demo clients, by client name."""

    clients: Mapping[str, ClientTruth]


@dataclass(frozen=True)
class _Occurrence:
    order: Order
    lines: tuple[Line, ...]

    @property
    def variant(self) -> tuple[str, frozenset[tuple[Line, int]]]:
        return self.order.visitor_id, frozenset(Counter(self.lines).items())


def count_client(shop: Shop, live: Iterable[DeliveryFile], days: Sequence[date]) -> ClientTruth:
    """Count one client's live files, i.e. the newest readable generation of every key."""
    files = sorted((file for file in live if file.readable), key=lambda file: (file.day, file.key))
    views = _distinct_views(shop, files)
    occurrences = _occurrences(files)
    found: dict[date, DayTruth] = {day: DayTruth() for day in days}
    for day, sessions in _sessions_per_day(shop, views).items():
        on_day = sum(local_day(view.at, shop.zone) == day for view in views)
        found[day] = replace(found[day], page_views=on_day, sessions=sessions)
    line_duplicates = 0
    for same_id in occurrences.values():
        kept = _kept(same_id)
        day = local_day(kept[0].order.at, shop.zone)
        found[day] = _add_orders(found[day], shop, kept)
        line_duplicates += sum(len(one.lines) for one in same_id) - sum(len(one.lines) for one in kept)
    quarantined = {dataset: _refusals(files, dataset) for dataset in Dataset}
    sent_views = sum(isinstance(record.planted, View) for file in files for record in file.records)
    sent_lines = sum(len(one.lines) for same_id in occurrences.values() for one in same_id)
    return ClientTruth(
        days=found,
        rows={
            Dataset.PAGE_VIEWS: sent_views + sum(quarantined[Dataset.PAGE_VIEWS].values()),
            Dataset.ORDERS: sent_lines + sum(quarantined[Dataset.ORDERS].values()),
        },
        quarantined=quarantined,
        duplicates={Dataset.PAGE_VIEWS: sent_views - len(views), Dataset.ORDERS: line_duplicates},
    )


def _refusals(files: Iterable[DeliveryFile], dataset: Dataset) -> dict[str, int]:
    return Counter(
        record.planted.reason
        for file in files
        if file.dataset is dataset
        for record in file.records
        if isinstance(record.planted, Refused)
    )


def _distinct_views(shop: Shop, files: Iterable[DeliveryFile]) -> list[View]:
    sent = [record.planted for file in files for record in file.records if isinstance(record.planted, View)]
    distinct: dict[tuple[date, str] | View, View] = {}
    for view in sorted(sent, key=attrgetter("at")):
        key = view if view.event_id is None else (local_day(view.at, shop.zone), view.event_id)
        distinct.setdefault(key, view)
    return list(distinct.values())


def _sessions_per_day(shop: Shop, views: Iterable[View]) -> dict[date, int]:
    by_visitor: defaultdict[str, list[View]] = defaultdict(list)
    for view in sorted(views, key=attrgetter("at")):
        by_visitor[view.visitor_id].append(view)
    parts: defaultdict[date, set[tuple[str, str | int]]] = defaultdict(set)
    for visitor_id, seen in by_visitor.items():
        number, last = 0, seen[0].at
        for view in seen:
            number += view.at - last > _TIMEOUT
            last = view.at
            parts[local_day(view.at, shop.zone)].add((visitor_id, view.session_id or number))
    return {day: len(sessions) for day, sessions in parts.items()}


def _occurrences(files: Iterable[DeliveryFile]) -> dict[str, list[_Occurrence]]:
    """Every order as delivered, by order id, oldest delivery first."""
    found: defaultdict[str, list[_Occurrence]] = defaultdict(list)
    for file in files:
        rows: defaultdict[Order, list[Line]] = defaultdict(list)
        for record in file.records:
            if isinstance(record.planted, Purchase):
                order, position = record.planted.order, record.planted.position
                if position is None:
                    found[order.order_id].append(_Occurrence(order, order.lines))
                else:
                    rows[order].append(order.lines[position])
        for order, lines in rows.items():
            found[order.order_id].append(_Occurrence(order, tuple(lines)))
    return found


def _kept(same_id: Sequence[_Occurrence]) -> list[_Occurrence]:
    """One occurrence of every variant of an order id, the newest of each."""
    return list({one.variant: one for one in same_id}.values())


def _add_orders(day: DayTruth, shop: Shop, kept: Sequence[_Occurrence]) -> DayTruth:
    collided = len(kept) > 1
    cancelled = shop.statuses[1]
    revenue = Decimal(0) if collided else sum((_net(shop, line) for line in kept[0].lines), Decimal(0))
    return replace(
        day,
        orders=day.orders + len(kept),
        collided_orders=day.collided_orders + (len(kept) if collided else 0),
        cancelled_orders=day.cancelled_orders + sum(one.order.status == cancelled for one in kept),
        order_lines=day.order_lines + sum(len(one.lines) for one in kept),
        revenue=day.revenue + revenue,
    )


def _net(shop: Shop, line: Line) -> Decimal:
    if shop.amount_off:
        return line.quantity * (line.regular - (line.discount or Decimal(0)))
    return line.quantity * (line.regular if line.discount is None else line.discount)
