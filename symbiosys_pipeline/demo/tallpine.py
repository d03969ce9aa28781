"""The deliveries of Tallpine Goods, an invented outdoor shop in New York, and everything wrong with them.

Hourly visits in CSV with semicolons, BOM and CRLF, no session ids; daily orders in list columns with the
amount off, from the web shop as CSV and from the app as NDJSON.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from symbiosys_pipeline.demo.browsing import browse
from symbiosys_pipeline.demo.delivery_files import (
    BREAKAGES,
    DeliveryFile,
    Record,
    Refused,
)
from symbiosys_pipeline.demo.events import Line, Order, View
from symbiosys_pipeline.demo.planting import by_local_day, scatter, seeded, take
from symbiosys_pipeline.demo.tallpine_rows import (
    BAD_ORDERS,
    BAD_VIEWS,
    TALLPINE,
    app_order_file,
    app_order_record,
    bad_app_order_records,
    bad_view_record,
    bad_web_order_record,
    view_record,
    visit_file,
    web_order_file,
    web_order_record,
)

_Hour = tuple[date, int]

#: Hours of the day in which something special is delivered; all of them are busy.
_LATE_HOUR, _BROKEN_HOUR, _TWICE_HOUR, _RESTORED_HOUR, _HALF_HOUR = 6, 11, 14, 15, 20


def tallpine_waves(seed: int, days: Sequence[date]) -> tuple[tuple[DeliveryFile, ...], ...]:
    """The files of each of the four waves, for five local days or more."""
    rng = seeded(seed, TALLPINE.client)
    visits = browse(rng, TALLPINE, days)
    pages = _plan_pages(rng, by_local_day(visits.views, days, TALLPINE.zone))
    orders = _plan_orders(rng, by_local_day(visits.orders, days, TALLPINE.zone))
    *first, next_day, last = days
    half = pages[next_day, _HALF_HOUR]
    restored = pages[first[-1], _RESTORED_HOUR]
    return (
        tuple(file for day in first for file in _of_day(day, pages, orders)),
        tuple(file.half_written(0.5) if file is half else file for file in _of_day(next_day, pages, orders)),
        (
            half,
            *orders[first[-2]],
            replace(restored, records=restored.records[2:]),
        ),
        (restored, *_of_day(last, pages, orders)),
    )


def _of_day(
    day: date, pages: dict[_Hour, DeliveryFile], orders: dict[date, tuple[DeliveryFile, ...]]
) -> list[DeliveryFile]:
    return [*(file for (file_day, _), file in pages.items() if file_day == day), *orders[day]]


def _plan_pages(rng: random.Random, views: dict[date, list[View]]) -> dict[_Hour, DeliveryFile]:
    """Every hour's visit file of every day."""
    days = list(views)
    next_day, last = days[-2:]
    late = [view for day in days[-5:-2] for view in take(rng, views[day], 9)]
    too_late = take(rng, views[days[-5]], 4, _is_web)
    spoiled = take(rng, views[days[1]], len(BAD_VIEWS) + len(BREAKAGES), _is_web)

    records: dict[_Hour, list[Record]] = {(day, hour): [] for day in days for hour in range(24)}
    for day, happened in views.items():
        for view in happened:
            records[day, _local_hour(view.at)].append(view_record(view))
    scatter(rng, records[next_day, _LATE_HOUR], map(view_record, late))
    scatter(
        rng,
        records[last, _LATE_HOUR],
        (bad_view_record(view, "outside_lateness_window", {}) for view in too_late),
    )
    wrong, broken = spoiled[: len(BAD_VIEWS)], spoiled[len(BAD_VIEWS) :]
    scatter(
        rng,
        records[days[1], _BROKEN_HOUR],
        (
            bad_view_record(view, reason, values)
            for view, (reason, values) in zip(wrong, BAD_VIEWS, strict=True)
        ),
    )
    scatter(
        rng,
        records[days[1], _BROKEN_HOUR],
        (
            Record(breakage(view_record(view).content, b";"), Refused(reason))
            for view, (reason, breakage) in zip(broken, BREAKAGES.items(), strict=True)
        ),
    )
    sent = [record for record in records[days[2], _TWICE_HOUR] if isinstance(record.planted, View)]
    scatter(rng, records[days[2], _TWICE_HOUR], rng.sample(sent, 2))
    scatter(rng, records[days[2], _TWICE_HOUR + 1], rng.sample(sent, 3))
    return {(day, hour): visit_file(day, hour, planned) for (day, hour), planned in records.items()}


def _plan_orders(rng: random.Random, orders: dict[date, list[Order]]) -> dict[date, tuple[DeliveryFile, ...]]:
    """Every day's two order files: the web shop's and the app's."""
    days = list(orders)
    spoiled = [*take(rng, orders[days[0]], 3, _is_small_web), *take(rng, orders[days[1]], 2, _is_small_web)]
    spoiled_app = take(rng, orders[days[0]], 3, _is_app)
    (late,) = take(rng, orders[days[-3]], 1, _is_web)
    web = {
        day: [web_order_record(order) for order in happened if _is_web(order)]
        for day, happened in orders.items()
    }
    app = {
        day: [app_order_record(order) for order in happened if _is_app(order)]
        for day, happened in orders.items()
    }
    for number, (order, (reason, wrong)) in enumerate(zip(spoiled, BAD_ORDERS, strict=True)):
        scatter(rng, web[days[0 if number < 3 else 1]], [bad_web_order_record(order, reason, wrong)])
    scatter(rng, app[days[0]], bad_app_order_records(spoiled_app))
    web[days[-2]].append(web_order_record(late))

    settled = [order for order in orders[days[1]] if _is_web(order) and order.status == TALLPINE.statuses[0]]
    twice, resent, collided, returned = rng.sample(settled, 4)
    scatter(rng, web[days[1]], [web_order_record(twice), web_order_record(_other_basket(collided))])
    web[days[2]].append(web_order_record(replace(resent, status=TALLPINE.statuses[1])))
    web[days[3]].append(web_order_record(replace(returned, status=TALLPINE.statuses[2])))
    return {day: (web_order_file(day, web[day]), app_order_file(day, app[day])) for day in days}


def _local_hour(at: datetime) -> int:
    return at.astimezone(TALLPINE.zone).hour


def _is_web(event: View | Order) -> bool:
    return event.platform == "web"


def _is_app(event: View | Order) -> bool:
    return event.platform != "web"


def _is_small_web(order: Order) -> bool:
    return _is_web(order) and len(order.lines) == 2


def _other_basket(order: Order) -> Order:
    """Another visitor's order under the same id at the same time: a collision."""
    return replace(
        order,
        visitor_id=order.visitor_id[::-1],
        lines=(Line("000007", 3, Decimal("41.00"), Decimal("4.10")),),
    )
