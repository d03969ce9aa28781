"""The deliveries of Lunaverre, an invented lighting shop in Paris, and everything that goes wrong with them.

Daily gzip CSV, its own session and event ids, one row per order line, net prices.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from symbiosys_pipeline.demo.browsing import browse
from symbiosys_pipeline.demo.delivery_files import (
    BREAKAGES,
    DeliveryFile,
    Record,
    Refused,
    with_open_quotes,
)
from symbiosys_pipeline.demo.events import Line, Order, View, local_day, midnight
from symbiosys_pipeline.demo.lunaverre_rows import (
    BAD_LINES,
    BAD_VIEWS,
    LUNAVERRE,
    bad_order_records,
    bad_view_record,
    order_file,
    order_records,
    view_record,
    visit_file,
)
from symbiosys_pipeline.demo.planting import by_local_day, scatter, seeded, take

_DAY = timedelta(days=1)


def lunaverre_waves(seed: int, days: Sequence[date]) -> tuple[tuple[DeliveryFile, ...], ...]:
    """The files of each of the four waves, for five local days or more."""
    rng = seeded(seed, LUNAVERRE.client)
    visits = browse(rng, LUNAVERRE, days)
    pages, corrected_page = _plan_pages(rng, by_local_day(visits.views, days, LUNAVERRE.zone))
    orders, corrected_order = _plan_orders(rng, by_local_day(visits.orders, days, LUNAVERRE.zone))
    *first, next_day, last = days
    without_a_day = tuple(
        record
        for record in pages[next_day].records
        if not isinstance(record.planted, View) or local_day(record.planted.at, LUNAVERRE.zone) != first[-2]
    )
    return (
        tuple(files[day] for day in first for files in (pages, orders)),
        (pages[next_day], orders[next_day].half_written(0.6)),
        (
            pages[first[-2]],
            corrected_page,
            corrected_order,
            replace(pages[next_day], records=without_a_day),
            orders[next_day],
        ),
        (pages[last], orders[last]),
    )


def _plan_pages(
    rng: random.Random, views: dict[date, list[View]]
) -> tuple[dict[date, DeliveryFile], DeliveryFile]:
    """Every day's visit file, and the corrected one of the third-last day."""
    days = list(views)
    corrected_day, next_day, last = days[-3:]
    late = [view for day in days[-5:-2] for view in take(rng, views[day], 12)]
    a_day_late = take(rng, views[next_day], 6)
    too_late = take(rng, views[days[-5]], 5)
    withheld = take(rng, views[corrected_day], 5)
    ahead, future = take(rng, views[days[0]], 2)
    too_early = take(rng, views[days[0]], 2)
    spoiled = take(rng, views[days[1]], len(BAD_VIEWS) + len(BREAKAGES) + 1)

    records = {day: [view_record(view) for view in happened] for day, happened in views.items()}
    scatter(rng, records[next_day], map(view_record, late))
    scatter(rng, records[last], map(view_record, a_day_late))
    scatter(rng, records[last], (bad_view_record(view, "outside_lateness_window") for view in too_late))
    midnight_after = midnight(days[1], LUNAVERRE.zone)
    records[days[0]].append(view_record(replace(ahead, at=midnight_after + timedelta(minutes=10))))
    noon_after = replace(future, at=midnight_after + timedelta(hours=12))
    scatter(rng, records[days[0]], [bad_view_record(noon_after, "in_future")])
    before = (replace(view, at=view.at - _DAY) for view in too_early)
    scatter(rng, records[days[0]], (bad_view_record(view, "before_start_date") for view in before))

    scatter(rng, records[days[0]], map(view_record, rng.sample(views[days[0]], 4)))
    scatter(rng, records[days[2]], map(view_record, rng.sample(views[days[1]], 4)))
    same_ids = (
        replace(view, at=_nudged(view.at), user_agent=f"{view.user_agent}\nretry")
        for view in rng.sample(views[days[1]], 3)
    )
    scatter(rng, records[days[1]], map(view_record, same_ids))
    torn = _break_pages(rng, records[days[1]], spoiled)
    records[days[1]].append(torn)

    files = {day: visit_file(day, planned) for day, planned in records.items()}
    return files, visit_file(corrected_day, _correct_pages(rng, records[corrected_day], withheld))


def _nudged(at: datetime) -> datetime:
    """Two seconds away, but on the same local day."""
    later = at + timedelta(seconds=2)
    same_day = local_day(later, LUNAVERRE.zone) == local_day(at, LUNAVERRE.zone)
    return later if same_day else at - timedelta(seconds=2)


def _break_pages(rng: random.Random, records: list[Record], spoiled: Sequence[View]) -> Record:
    """Scatter one row of every kind that must be refused; returns the one that belongs at the file's end."""
    wrong, broken, last = spoiled[: len(BAD_VIEWS)], spoiled[len(BAD_VIEWS) : -1], spoiled[-1]
    scatter(
        rng,
        records,
        (
            bad_view_record(view, reason, values)
            for view, (reason, values) in zip(wrong, BAD_VIEWS, strict=True)
        ),
    )
    scatter(
        rng,
        records,
        (
            Record(breakage(view_record(view).content, b","), Refused(reason))
            for view, (reason, breakage) in zip(broken, BREAKAGES.items(), strict=True)
        ),
    )
    return Record(with_open_quotes(view_record(last).content, b","), Refused("malformed_quotes"))


def _correct_pages(rng: random.Random, records: Sequence[Record], added: Sequence[View]) -> list[Record]:
    """The same file with four rows removed, three changed and some added."""
    sent = [position for position, record in enumerate(records) if isinstance(record.planted, View)]
    touched = rng.sample(sent, 7)
    removed, changed = set(touched[:4]), set(touched[4:])
    corrected: list[Record] = []
    for position, record in enumerate(records):
        view = record.planted
        if position in changed and isinstance(view, View):
            corrected.append(view_record(replace(view, page_url=f"{view.page_url}#corrected")))
        elif position not in removed:
            corrected.append(record)
    return corrected + [view_record(view) for view in added]


def _plan_orders(
    rng: random.Random, orders: dict[date, list[Order]]
) -> tuple[dict[date, DeliveryFile], DeliveryFile]:
    """Every day's order file, and the corrected one of the third-last day."""
    days = list(orders)
    corrected_day, next_day = days[-3:-1]
    cancelled_later, unnamed = take(rng, orders[days[0]], 2, _is_paid_with_one_line)
    (late,) = take(rng, orders[days[-4]], 1)
    (withheld,) = take(rng, orders[corrected_day], 1)
    two_lines = take(rng, orders[days[0]], 1, _has_more_lines)
    spoiled = [
        *take(rng, orders[days[0]], 1, _has_more_lines),
        *take(rng, orders[days[1]], 2),
        *take(rng, orders[corrected_day], 2),
        *take(rng, orders[next_day], 2),
    ]
    resent, collided = rng.sample(orders[days[1]], 2)

    records = {
        day: [row for order in happened for row in order_records(order)] for day, happened in orders.items()
    }
    records[days[0]] += order_records(cancelled_later)
    cancelled = replace(cancelled_later, status=LUNAVERRE.statuses[1])
    records[days[1]] += order_records(cancelled)
    records[days[0]] += bad_order_records(unnamed, "missing", {"commande": ""})
    records[days[0]] += [row for order in map(_repeat_a_line, two_lines) for row in order_records(order)]
    records[days[2]] += order_records(resent)
    records[days[2]] += order_records(_other_basket(collided))
    records[next_day] += order_records(late)
    for order, (reason, wrong) in zip(spoiled, BAD_LINES, strict=True):
        records[local_day(order.at, LUNAVERRE.zone)] += bad_order_records(order, reason, wrong)

    removed, changed = rng.sample(orders[corrected_day], 2)
    corrected = [
        row
        for row in records[corrected_day]
        if row not in order_records(removed) and row not in order_records(changed)
    ]
    more = replace(changed.lines[0], quantity=changed.lines[0].quantity + 4)
    corrected += order_records(replace(changed, lines=(more, *changed.lines[1:])))
    corrected += order_records(withheld)
    files = {day: order_file(day, planned) for day, planned in records.items()}
    return files, order_file(corrected_day, corrected)


def _is_paid_with_one_line(order: Order) -> bool:
    return len(order.lines) == 1 and order.status == LUNAVERRE.statuses[0]


def _has_more_lines(order: Order) -> bool:
    return len(order.lines) > 1


def _repeat_a_line(order: Order) -> Order:
    """The order with its first line twice: two real lines."""
    return replace(order, lines=(order.lines[0], *order.lines))


def _other_basket(order: Order) -> Order:
    """Another visitor's order under the same id at the same time: a collision."""
    return replace(
        order,
        visitor_id=order.visitor_id[::-1],
        session_id=None,
        lines=(Line("LV-0001", 2, Decimal("35.50"), None),),
    )
