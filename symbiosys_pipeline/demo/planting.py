"""Taking events out of what happened, so that they can be delivered late, twice, wrongly or not at all."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from symbiosys_pipeline.demo.delivery_files import Record
from symbiosys_pipeline.demo.events import Order, View, local_day

Event = TypeVar("Event", View, Order)


def seeded(seed: int, client: str) -> random.Random:
    """The one source of chance of a client's deliveries: the same seed, the same bytes."""
    return random.Random(f"{seed}:{client}")  # noqa: S311 - demo data has to repeat, not to be secret


def by_local_day(events: Iterable[Event], days: Sequence[date], zone: ZoneInfo) -> dict[date, list[Event]]:
    """The events of each given local day, in the order given."""
    found: dict[date, list[Event]] = {day: [] for day in days}
    for event in events:
        found[local_day(event.at, zone)].append(event)
    return found


def _any(_event: View | Order) -> bool:
    return True


def take(
    rng: random.Random, events: list[Event], count: int, wanted: Callable[[Event], bool] = _any
) -> list[Event]:
    """Remove and return `count` of the wanted events; `ValueError` when there are too few."""
    positions = [position for position, event in enumerate(events) if wanted(event)]
    drawn = sorted(rng.sample(positions, count))
    taken = [events[position] for position in drawn]
    for position in reversed(drawn):
        del events[position]
    return taken


def scatter(rng: random.Random, records: list[Record], planted: Iterable[Record]) -> None:
    """Insert every planted record at a drawn position."""
    for record in planted:
        records.insert(rng.randint(0, len(records)), record)
