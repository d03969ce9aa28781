"""Publish one event day: its four event tables from the accepted staged day and the day before it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.layers import staging_schema
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import StaleInputError
from symbiosys_pipeline.steps.reconcile import LedgerView
from symbiosys_pipeline.storage.lake import file_sha256
from symbiosys_pipeline.storage.layout import events_partition, publication_file, staging_partition
from symbiosys_pipeline.storage.ledger_tables import Layer, Publication, StoredVerdict
from symbiosys_pipeline.storage.manifests import record_json
from symbiosys_pipeline.storage.parquet import copy_to_parquet, count_rows
from symbiosys_pipeline.storage.publication_ledger import get_publication, wanted_events
from symbiosys_pipeline.transforms import events
from symbiosys_pipeline.transforms.sessions import EventDay, carried


class Outcome(StrEnum):
    """How publishing a day ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    NOTHING = "nothing to publish"


@dataclass(frozen=True)
class Published:
    """What publishing one day did.

    Attributes:
        outcome: Whether the event tables were replaced, confirmed, or kept because the day was rejected.
        counts: Rows per event table now in place, and totals.
        reason: Why the day was rebuilt.
        rejected: The verdicts that kept it back.
        version: The hash of what the tables in place were made from.
    """

    outcome: Outcome
    counts: dict[str, int]
    reason: str
    rejected: tuple[StoredVerdict, ...] = ()
    version: str | None = None


_BUILDERS = {
    Table.PAGE_VIEWS: events.page_views,
    Table.ORDERS: events.orders,
    Table.ORDER_LINES: events.order_lines,
    Table.SESSIONS: events.sessions,
}


def publish_day(
    deployment: Deployment, profile: ClientProfile, event_day: date, *, again: bool = False
) -> Published:
    """Make a day's event tables what its accepted staged day wants; a rejected day keeps its version.

    The four tables depend on the staged day and on those facts of the day before that reach over midnight.
    Where a change of the day before reaches nothing, the tables stay untouched.

    Args:
        deployment: Lake and ledger.
        profile: The client.
        event_day: Local day of the client.
        again: Rebuild even an up-to-date day; a person's wish after a change of code.

    Raises:
        StaleInputError: The day is not staged and judged in its wanted version, or was staged anew meanwhile.
    """
    view = LedgerView.of(deployment, profile, event_day)
    present = view.publications.get((Layer.EVENTS, event_day))
    counts = dict(present.counts) if present else {}
    if not any(view.staged(dataset, event_day) for dataset in Dataset):
        return Published(Outcome.NOTHING, counts, "no rows were ever delivered for this day")
    _must_be_current(view, event_day)
    rejected = tuple(view.rejected(event_day))
    if rejected:
        return Published(Outcome.REJECTED, counts, "the day was rejected by its checks", rejected)
    target = view.events_target(event_day)
    with deployment.lake.scratch() as scratch, deployment.duckdb() as connection:
        _attach(deployment, profile, view, event_day, connection)
        day = _event_day(profile, event_day)
        events.prepare(connection, day)
        inputs = {**target, "carried": _relation_hash(carried(connection))}
        wanted = wanted_events(inputs)
        if present is not None and present.wanted == wanted and not again:
            deployment.ledger.publications.confirm(
                present, inputs, install=lambda recorded: _keep_record(deployment, recorded)
            )
            return Published(Outcome.UNCHANGED, counts, "nothing of the day before reaches over midnight")
        files = {table: scratch / f"{table}.parquet" for table in EVENT_TABLES}
        origin = {"client": profile.client, "event_day": str(event_day), "made_from": wanted}
        counts = {str(table): _write(connection, table, file, origin) for table, file in files.items()}
        reason = _reason(present, inputs)
        publication = Publication(
            client=profile.client,
            layer=Layer.EVENTS,
            event_day=event_day,
            revision=0,
            wanted=wanted,
            sha256=_hash_of(files),
            inputs=inputs,
            counts=counts,
            reason=reason,
            published_at=None,
        )

        def still_wanted(ledger: sa.Connection) -> bool:
            return _staged_hashes(ledger, profile.client, event_day) == target

        def install() -> None:
            for table, file in files.items():
                deployment.lake.publish(file, events_partition(table, profile.client, event_day))

        deployment.ledger.publications.publish(
            publication,
            still_wanted=still_wanted,
            install=install,
            keep=lambda recorded: _keep_record(deployment, recorded),
        )
    return Published(Outcome.PUBLISHED, counts, reason, version=wanted)


def _keep_record(deployment: Deployment, recorded: Publication) -> None:
    record = publication_file(recorded.layer, recorded.client, recorded.event_day)
    deployment.lake.publish_bytes(record_json(recorded), record)


def _must_be_current(view: LedgerView, event_day: date) -> None:
    for dataset in Dataset:
        staged = view.staged(dataset, event_day)
        wanted = view.wanted(dataset, event_day)
        if wanted is not None and (staged is None or staged.wanted != wanted):
            raise StaleInputError(
                f"{view.profile.client} {event_day}: {dataset} is not staged as its deliveries want; "
                "stage it first"
            )
        if staged is not None and view.verdict(dataset, event_day) is None:
            raise StaleInputError(
                f"{view.profile.client} {event_day}: {dataset} is staged but not judged; judge it first"
            )


def _attach(
    deployment: Deployment,
    profile: ClientProfile,
    view: LedgerView,
    event_day: date,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    before = event_day - timedelta(days=1)
    relations = {
        "views": (Dataset.PAGE_VIEWS, event_day),
        "previous_views": (Dataset.PAGE_VIEWS, before),
        "order_lines_staged": (Dataset.ORDERS, event_day),
    }
    for name, (dataset, day) in relations.items():
        if view.staged(dataset, day) is None:
            connection.register(name, pl.DataFrame(schema=staging_schema(dataset)))
        else:
            uri = deployment.lake.uri(staging_partition(dataset, profile.client, day))
            connection.read_parquet(uri).create_view(name)


def _event_day(profile: ClientProfile, event_day: date) -> EventDay:
    return EventDay(
        event_day=event_day,
        day_start_utc=_midnight(profile, event_day),
        previous_day_start_utc=_midnight(profile, event_day - timedelta(days=1)),
        timeout_minutes=profile.session_timeout_minutes,
        discount_meaning=profile.orders.discount_meaning,
        cancelled_statuses=profile.orders.cancelled_statuses,
        returned_statuses=profile.orders.returned_statuses,
    )


def _midnight(profile: ClientProfile, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(profile.time_zone)).astimezone(UTC)


def _relation_hash(relation: duckdb.DuckDBPyRelation) -> str:
    digest = hashlib.sha256()
    for row in relation.fetchall():
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _write(connection: duckdb.DuckDBPyConnection, table: Table, file: Path, origin: Mapping[str, str]) -> int:
    copy_to_parquet(connection, _BUILDERS[table](connection), file, {"table": str(table), **origin})
    return count_rows(connection, file)


def _hash_of(files: dict[Table, Path]) -> str:
    text = "|".join(f"{table}={file_sha256(file)}" for table, file in files.items())
    return hashlib.sha256(text.encode()).hexdigest()


def _staged_hashes(ledger: sa.Connection, client: str, event_day: date) -> dict[str, str | None]:
    before = event_day - timedelta(days=1)
    wanted = {
        "previous": (Layer.STAGED_PAGE_VIEWS, before),
        str(Dataset.PAGE_VIEWS): (Layer.STAGED_PAGE_VIEWS, event_day),
        str(Dataset.ORDERS): (Layer.STAGED_ORDERS, event_day),
    }
    found = {name: get_publication(ledger, client, layer, day) for name, (layer, day) in wanted.items()}
    return {name: item.sha256 if item is not None else None for name, item in found.items()}


def _reason(present: Publication | None, inputs: dict[str, str | None]) -> str:
    if present is None or present.wanted is None:
        return "first publication"
    changed = [
        str(dataset) for dataset in Dataset if present.inputs.get(str(dataset)) != inputs[str(dataset)]
    ]
    if changed:
        return f"{' and '.join(changed)} changed"
    if present.inputs.get("carried") != inputs["carried"]:
        return "a session of the day before reaches over midnight and changed"
    return "rebuilt on demand"
