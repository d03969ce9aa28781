"""Verdicts and publications: which version of a day readers see, and whether a day may be published."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.errors import StaleInputError
from symbiosys_pipeline.storage.delivery_ledger import LiveSlice
from symbiosys_pipeline.storage.ledger_tables import (
    PUBLICATIONS,
    VERDICTS,
    Layer,
    Publication,
    StoredVerdict,
)

if TYPE_CHECKING:
    from symbiosys_pipeline.storage.ledger import Ledger


#: What a partition holds while its files are replaced: no version, so that it is stale whatever is wanted.
REPLACING = "replacing"


def wanted_staging(slices: Iterable[LiveSlice]) -> str:
    """The hash of one day's live slices: what its staged partition should have been made from."""
    parts = sorted(f"{part.slice.sha256 or '-'}:{part.slice.quarantined}" for part in slices)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def wanted_events(inputs: Mapping[str, str | None]) -> str:
    """The hash of what a day's event tables should have been made from."""
    parts = [f"{name}={inputs.get(name) or '-'}" for name in ("page_views", "orders", "carried")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class PublicationLedger:
    """Reads and writes `publications` and `verdicts`."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def get(self, client: str, layer: Layer, event_day: date) -> Publication | None:
        """The published version of one partition, or None."""
        with self._ledger.reading() as connection:
            return get_publication(connection, client, layer, event_day)

    def of_client(
        self, client: str, event_days: Iterable[date] | None = None
    ) -> dict[tuple[Layer, date], Publication]:
        """The published partitions of a client, of all days or those given."""
        query = sa.select(PUBLICATIONS).where(PUBLICATIONS.c.client == client)
        if event_days is not None:
            query = query.where(PUBLICATIONS.c.event_day.in_(list(event_days)))
        with self._ledger.reading() as connection:
            found = [_publication(row) for row in connection.execute(query).mappings()]
        return {(item.layer, item.event_day): item for item in found}

    def publish(
        self,
        publication: Publication,
        *,
        still_wanted: Callable[[sa.Connection], bool],
        install: Callable[[], None],
        keep: Callable[[Publication], None],
    ) -> None:
        """Put a finished partition in place, if what it was made from is still what is wanted.

        The check, the files' replacement and the record are one transaction, so of two racing rebuilds the
        older never lands on top. A transaction before it records that the files are about to be replaced: a
        crash in between leaves a partition that is stale, even if the version before is wanted again by then.

        Args:
            publication: The version to record; its revision and time are set here.
            still_wanted: Reads the ledger inside the transaction.
            install: Replaces the partition's files.
            keep: Keeps the record it is given beside them.

        Raises:
            StaleInputError: The day's inputs changed meanwhile; nothing was published.
        """
        with self._ledger.writing() as connection:
            present = _present(connection, publication, still_wanted)
            before = present or publication
            announced = replace(
                before,
                revision=before.revision + 1,
                wanted=REPLACING,
                sha256=None,
                inputs={},
                counts=before.counts or publication.counts,
            )
            keep(announced)
            _put(connection, announced)
        with self._ledger.writing() as connection:
            present = _present(connection, publication, still_wanted) or announced
            recorded = replace(
                publication,
                revision=present.revision if present.wanted == REPLACING else present.revision + 1,
                published_at=_now(),
            )
            install()
            keep(recorded)
            _put(connection, recorded)

    def confirm(
        self,
        publication: Publication,
        inputs: Mapping[str, str | None],
        *,
        install: Callable[[Publication], None],
    ) -> None:
        """Record that a partition was checked against other inputs and need not change.

        Args:
            publication: The version in place; nothing is recorded where a newer one has come meanwhile.
            inputs: What it was checked against.
            install: Keeps the record it is given beside the files, inside the transaction.
        """
        with self._ledger.writing() as connection:
            changed = connection.execute(
                sa.update(PUBLICATIONS)
                .where(*_key(publication.client, publication.layer, publication.event_day))
                .where(PUBLICATIONS.c.revision == publication.revision)
                .values(inputs=dict(inputs))
            )
            if changed.rowcount == 1:
                install(replace(publication, inputs=dict(inputs)))

    def record_failure(self, client: str, layer: Layer, event_day: date, wanted: str, reason: str) -> None:
        """Count a failed rebuild of the wanted version, so that attempts are bounded and back off."""
        with self._ledger.writing() as connection:
            present = get_publication(connection, client, layer, event_day, lock=True)
            again = present is not None and present.failed_wanted == wanted
            attempts = (present.failed_attempts if present and again else 0) + 1
            failure = {
                "failed_wanted": wanted,
                "failed_attempts": attempts,
                "failed_at": _now(),
                "failed_reason": reason,
            }
            if present is None:
                empty = Publication(client, layer, event_day, 0, None, None, {}, {}, None, None)
                connection.execute(sa.insert(PUBLICATIONS).values({**_row(empty), **failure}))
            else:
                connection.execute(
                    sa.update(PUBLICATIONS).where(*_key(client, layer, event_day)).values(failure)
                )

    def record_verdict(self, verdict: StoredVerdict) -> None:
        """Keep the verdict on one version of a staged day; a person's acceptance of it stays."""
        with self._ledger.writing() as connection:
            key = _verdict_key(verdict.client, verdict.dataset, verdict.event_day, verdict.version)
            values = {
                "decided_at": verdict.decided_at,
                "accepted": verdict.accepted,
                "verdict": verdict.verdict,
            }
            if connection.execute(sa.update(VERDICTS).where(*key).values(values)).rowcount == 0:
                connection.execute(
                    sa.insert(VERDICTS).values({**vars(verdict), "dataset": str(verdict.dataset)})
                )

    def accept(
        self, client: str, dataset: Dataset, event_day: date, version: str, *, by: str, reason: str
    ) -> bool:
        """Record that a person publishes a rejected version; False when there is no such verdict."""
        with self._ledger.writing() as connection:
            changed = connection.execute(
                sa.update(VERDICTS)
                .where(*_verdict_key(client, dataset, event_day, version))
                .values(accepted_by=by, accept_reason=reason)
            )
            return changed.rowcount == 1

    def verdict(
        self, client: str, dataset: Dataset, event_day: date, version: str | None
    ) -> StoredVerdict | None:
        """The verdict on one version of a staged day, or None when it was not judged."""
        if version is None:
            return None
        query = sa.select(VERDICTS).where(*_verdict_key(client, dataset, event_day, version))
        with self._ledger.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _verdict(row)

    def verdicts(self, client: str, event_days: Iterable[date] | None = None) -> list[StoredVerdict]:
        """Every verdict on a client's days, of all days or those given, oldest first."""
        query = sa.select(VERDICTS).where(VERDICTS.c.client == client).order_by(VERDICTS.c.decided_at)
        if event_days is not None:
            query = query.where(VERDICTS.c.event_day.in_(list(event_days)))
        with self._ledger.reading() as connection:
            return [_verdict(row) for row in connection.execute(query).mappings()]


def get_publication(
    connection: sa.Connection, client: str, layer: Layer, event_day: date, *, lock: bool = False
) -> Publication | None:
    """`PublicationLedger.get` inside a transaction that is already open, optionally locking the row."""
    query = sa.select(PUBLICATIONS).where(*_key(client, layer, event_day))
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return None if row is None else _publication(row)


def _present(
    connection: sa.Connection, publication: Publication, still_wanted: Callable[[sa.Connection], bool]
) -> Publication | None:
    """The partition's record, locked; `StaleInputError` when another version is wanted by now."""
    present = get_publication(
        connection, publication.client, publication.layer, publication.event_day, lock=True
    )
    if not still_wanted(connection):
        raise StaleInputError(
            f"{publication.client}/{publication.layer} {publication.event_day}: its inputs changed "
            "while it was rebuilt; the newer version is built next"
        )
    return present


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _key(client: str, layer: Layer, event_day: date) -> tuple[sa.ColumnElement[bool], ...]:
    columns = PUBLICATIONS.c
    return (columns.client == client, columns.layer == str(layer), columns.event_day == event_day)


def _verdict_key(
    client: str, dataset: Dataset, event_day: date, version: str
) -> tuple[sa.ColumnElement[bool], ...]:
    columns = VERDICTS.c
    return (
        columns.client == client,
        columns.dataset == str(dataset),
        columns.event_day == event_day,
        columns.version == version,
    )


def _row(publication: Publication) -> dict[str, Any]:
    return {**vars(publication), "layer": str(publication.layer)}


def _put(connection: sa.Connection, publication: Publication) -> None:
    values = _row(publication)
    key = _key(publication.client, publication.layer, publication.event_day)
    if connection.execute(sa.update(PUBLICATIONS).where(*key).values(values)).rowcount == 0:
        connection.execute(sa.insert(PUBLICATIONS).values(values))


def _publication(row: sa.RowMapping) -> Publication:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Publication)}
    values["layer"] = Layer(values["layer"])
    return Publication(**values)


def _verdict(row: sa.RowMapping) -> StoredVerdict:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(StoredVerdict)}
    values["dataset"] = Dataset(values["dataset"])
    return StoredVerdict(**values)
