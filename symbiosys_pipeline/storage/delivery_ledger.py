"""Deliveries and slices: what arrived, how far it has come, and which rows are live."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.storage.ledger_tables import (
    DELIVERIES,
    SLICES,
    Delivery,
    DeliveryState,
    Slice,
)

if TYPE_CHECKING:
    from symbiosys_pipeline.storage.ledger import Ledger


_READ = {DeliveryState.STANDARDIZED, DeliveryState.REFUSED}

#: Keeps what is recorded of a delivery beside its bytes; called inside the transaction that records it, so
#: that after a crash the lake is never behind the ledger.
Keep = Callable[[Delivery, Sequence[Slice]], None]


@dataclass(frozen=True)
class LiveSlice:
    """A slice that counts now, with the delivery that makes it live."""

    live_delivery_id: str
    source_key: str
    delivery_day: date
    quarantine_key: str | None
    slice: Slice


@dataclass(frozen=True)
class Received:
    """What one delivery brought for one event day; `live` is False where a newer generation superseded it."""

    delivery: Delivery
    rows: int
    quarantined: int
    live: bool


@dataclass(frozen=True)
class DayAccount:
    """Where the rows received for one event day went, as counted when they were read."""

    received: int
    live: int
    quarantined: int
    superseded: int


def _delivery(row: sa.RowMapping) -> Delivery:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Delivery)}
    values["dataset"] = Dataset(values["dataset"])
    values["state"] = DeliveryState(values["state"])
    return Delivery(**values)


def _newest_first(client: str, dataset: Dataset, *states: DeliveryState) -> sa.Subquery:
    """A dataset's deliveries in the given states; `generation_rank` 1 is the one observed last of its key."""
    rank = (
        sa.func.row_number()
        .over(
            partition_by=(DELIVERIES.c.source, DELIVERIES.c.source_key),
            order_by=DELIVERIES.c.observed_seq.desc(),
        )
        .label("generation_rank")
    )
    query = sa.select(*DELIVERIES.c, rank).where(
        DELIVERIES.c.client == client, DELIVERIES.c.dataset == str(dataset)
    )
    if states:
        query = query.where(DELIVERIES.c.state.in_([str(state) for state in states]))
    return query.subquery()


def _with_slices(ranked: sa.Subquery, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Ranked deliveries with the slices that hold their rows: their own, or those of the same bytes."""
    content_id = sa.func.coalesce(ranked.c.content_of, ranked.c.delivery_id)
    return sa.select(*columns).join_from(ranked, SLICES, SLICES.c.delivery_id == content_id)


class DeliveryLedger:
    """Reads and writes `deliveries` and `slices`."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def latest(
        self, client: str, dataset: Dataset, source: str, keys: Iterable[str] | None = None
    ) -> dict[str, Delivery]:
        """The generation observed last of each source key (of those asked for)."""
        ranked = _newest_first(client, dataset)
        query = sa.select(ranked).where(ranked.c.source == source, ranked.c.generation_rank == 1)
        if keys is not None:
            query = query.where(ranked.c.source_key.in_(list(keys)))
        with self._ledger.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {row["source_key"]: _delivery(row) for row in rows}

    def observe(self, deliveries: Sequence[Delivery], *, keep: Keep) -> list[Delivery]:
        """Record that these generations are what their keys hold now, in this order.

        A generation seen before only moves to the front; its rows become live again.

        Returns:
            The deliveries as recorded.
        """
        recorded: list[Delivery] = []
        with self._ledger.writing() as connection:
            highest = connection.execute(sa.select(sa.func.max(DELIVERIES.c.observed_seq))).scalar() or 0
            for seq, delivery in enumerate(deliveries, start=highest + 1):
                moved = connection.execute(
                    sa.update(DELIVERIES)
                    .where(DELIVERIES.c.delivery_id == delivery.delivery_id)
                    .values(observed_seq=seq)
                )
                if moved.rowcount == 0:
                    connection.execute(
                        sa.insert(DELIVERIES).values(**{**_row(delivery), "observed_seq": seq})
                    )
                known = _get(connection, delivery.delivery_id) or delivery
                if known.state is not DeliveryState.DISCOVERED:
                    keep(known, _slices_of(connection, known.delivery_id))
                recorded.append(known)
        return recorded

    def get(self, delivery_id: str) -> Delivery | None:
        """One delivery, or None."""
        with self._ledger.reading() as connection:
            return _get(connection, delivery_id)

    def of_client(
        self, client: str, dataset: Dataset | None = None, delivery_day: date | None = None
    ) -> list[Delivery]:
        """All deliveries of a client (dataset, delivery day), oldest observation first."""
        query = sa.select(DELIVERIES).where(DELIVERIES.c.client == client)
        if dataset is not None:
            query = query.where(DELIVERIES.c.dataset == str(dataset))
        if delivery_day is not None:
            query = query.where(DELIVERIES.c.delivery_day == delivery_day)
        with self._ledger.reading() as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.observed_seq)).mappings().all()
        return [_delivery(row) for row in rows]

    def current(self, client: str, dataset: Dataset, delivery_day: date | None = None) -> list[Delivery]:
        """The generation observed last of every key, whatever its state, in the order of their keys."""
        return self._first(_newest_first(client, dataset), delivery_day)

    def live(self, client: str, dataset: Dataset, delivery_day: date | None = None) -> list[Delivery]:
        """The generation of every key whose rows count now: the last one that could be read."""
        return self._first(_newest_first(client, dataset, DeliveryState.STANDARDIZED), delivery_day)

    def _first(self, ranked: sa.Subquery, delivery_day: date | None) -> list[Delivery]:
        query = sa.select(ranked).where(ranked.c.generation_rank == 1)
        if delivery_day is not None:
            query = query.where(ranked.c.delivery_day == delivery_day)
        with self._ledger.reading() as connection:
            rows = connection.execute(query.order_by(ranked.c.source, ranked.c.source_key)).mappings().all()
        return [_delivery(row) for row in rows]

    def same_content(self, delivery: Delivery, sha256: str) -> Delivery | None:
        """An earlier generation of the same key with the same bytes that has been read already."""
        query = (
            sa.select(DELIVERIES)
            .where(
                DELIVERIES.c.client == delivery.client,
                DELIVERIES.c.dataset == str(delivery.dataset),
                DELIVERIES.c.source == delivery.source,
                DELIVERIES.c.source_key == delivery.source_key,
                DELIVERIES.c.sha256 == sha256,
                DELIVERIES.c.content_of.is_(None),
                DELIVERIES.c.landing_folder.is_not(None),
                DELIVERIES.c.delivery_id != delivery.delivery_id,
            )
            .order_by(DELIVERIES.c.observed_seq)
        )
        with self._ledger.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _delivery(row)

    def record(self, delivery: Delivery, slices: Sequence[Slice], *, keep: Keep) -> Delivery:
        """The delivery was landed, standardized or refused: replaces its slices and its outcome together.

        Returns:
            The delivery as recorded: its place among the generations is the ledger's, and one that another
            process has read meanwhile is not merely landed again, or its rows would vanish for a while.
        """
        with self._ledger.writing() as connection:
            present = _get(connection, delivery.delivery_id) or delivery
            if delivery.state is DeliveryState.LANDED and present.state in _READ:
                return present
            recorded = replace(delivery, observed_seq=present.observed_seq)
            keep(recorded, slices)
            connection.execute(
                sa.update(DELIVERIES)
                .where(DELIVERIES.c.delivery_id == delivery.delivery_id)
                .values({name: value for name, value in _row(recorded).items() if name != "delivery_id"})
            )
            connection.execute(sa.delete(SLICES).where(SLICES.c.delivery_id == delivery.delivery_id))
            for part in slices:
                connection.execute(sa.insert(SLICES).values(**vars(part)))
        return recorded

    def live_slices(
        self, client: str, dataset: Dataset, event_days: Iterable[date] | None = None
    ) -> list[LiveSlice]:
        """The slices that count now: those of the newest standardized generation of every key."""
        with self._ledger.reading() as connection:
            return live_slices(connection, client, dataset, event_days)

    def received(self, client: str, dataset: Dataset, event_day: date) -> list[Received]:
        """What every readable delivery brought for a day, superseded ones included, in observed order.

        A generation with the same bytes as an earlier one was received again, and so is here again.
        """
        ranked = _newest_first(client, dataset, DeliveryState.STANDARDIZED)
        query = (
            _with_slices(ranked, *ranked.c, SLICES.c.rows, SLICES.c.quarantined)
            .where(SLICES.c.event_day == event_day)
            .order_by(ranked.c.observed_seq)
        )
        with self._ledger.reading() as connection:
            return [
                Received(_delivery(row), row["rows"], row["quarantined"], live=row["generation_rank"] == 1)
                for row in connection.execute(query).mappings()
            ]

    def account(self, client: str, dataset: Dataset, event_day: date) -> DayAccount:
        """How the rows received for a day divide into live, quarantined and superseded ones."""
        received = self.received(client, dataset, event_day)
        return DayAccount(
            received=sum(item.rows + item.quarantined for item in received),
            live=sum(item.rows for item in received if item.live),
            quarantined=sum(item.quarantined for item in received if item.live),
            superseded=sum(item.rows + item.quarantined for item in received if not item.live),
        )

    def live_slices_of_key(self, delivery: Delivery) -> dict[date, Slice]:
        """By event day, the slices that count now of the source key a delivery is a generation of."""
        ranked = _newest_first(delivery.client, delivery.dataset, DeliveryState.STANDARDIZED)
        query = _with_slices(ranked, *SLICES.c).where(
            ranked.c.source == delivery.source,
            ranked.c.source_key == delivery.source_key,
            ranked.c.generation_rank == 1,
        )
        with self._ledger.reading() as connection:
            found = [Slice(**row) for row in connection.execute(query).mappings()]
        return {part.event_day: part for part in found}

    def slices_of(self, delivery_id: str) -> list[Slice]:
        """The slices a delivery was read into, by event day."""
        with self._ledger.reading() as connection:
            return _slices_of(connection, delivery_id)

    def clients(self) -> list[str]:
        """Every client the ledger knows."""
        with self._ledger.reading() as connection:
            query = sa.select(DELIVERIES.c.client).distinct().order_by(DELIVERIES.c.client)
            return list(connection.execute(query).scalars())


def live_slices(
    connection: sa.Connection, client: str, dataset: Dataset, event_days: Iterable[date] | None = None
) -> list[LiveSlice]:
    """`DeliveryLedger.live_slices` inside a transaction that is already open."""
    ranked = _newest_first(client, dataset, DeliveryState.STANDARDIZED)
    query = (
        _with_slices(
            ranked,
            ranked.c.delivery_id.label("live_delivery_id"),
            ranked.c.source_key,
            ranked.c.delivery_day,
            ranked.c.quarantine_key,
            *SLICES.c,
        )
        .where(ranked.c.generation_rank == 1)
        .order_by(SLICES.c.event_day, ranked.c.source, ranked.c.source_key)
    )
    if event_days is not None:
        query = query.where(SLICES.c.event_day.in_(list(event_days)))
    return [
        LiveSlice(
            live_delivery_id=row["live_delivery_id"],
            source_key=row["source_key"],
            delivery_day=row["delivery_day"],
            quarantine_key=row["quarantine_key"],
            slice=Slice(**{field.name: row[field.name] for field in fields(Slice)}),
        )
        for row in connection.execute(query).mappings()
    ]


def _get(connection: sa.Connection, delivery_id: str) -> Delivery | None:
    query = sa.select(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else _delivery(row)


def _slices_of(connection: sa.Connection, delivery_id: str) -> list[Slice]:
    query = sa.select(SLICES).where(SLICES.c.delivery_id == delivery_id).order_by(SLICES.c.event_day)
    return [Slice(**row) for row in connection.execute(query).mappings()]


def _row(delivery: Delivery) -> dict[str, Any]:
    row = dict(vars(delivery))
    row["dataset"] = str(delivery.dataset)
    row["state"] = str(delivery.state)
    return row
