"""Read a landed delivery: typed slices per event day, and every unusable row to quarantine.

A delivery that cannot be read as a whole is refused: it stays in landing and supersedes nothing.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl

from symbiosys_pipeline.clients import profile_sha
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile, LineLayout
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import DeliveryError, LakeError
from symbiosys_pipeline.steps.land import source_of
from symbiosys_pipeline.steps.slice_files import SliceCollector, WrittenRows
from symbiosys_pipeline.storage.lake import file_sha256
from symbiosys_pipeline.storage.layout import (
    landed_content,
    quarantine_file,
    slice_file,
    standardized_folder,
)
from symbiosys_pipeline.storage.ledger_tables import UNPLACED, Delivery, DeliveryState, Slice
from symbiosys_pipeline.storage.manifests import write_manifest
from symbiosys_pipeline.storage.parquet import file_errors
from symbiosys_pipeline.transforms.header import resolve_columns, shown_names
from symbiosys_pipeline.transforms.quarantine import empty_quarantine
from symbiosys_pipeline.transforms.raw_rows import FileLayout, open_raw
from symbiosys_pipeline.transforms.standardize import (
    StandardizeSpec,
    refuse_incomplete_orders,
    refuse_structural,
    standardize,
)

_READ = {DeliveryState.STANDARDIZED, DeliveryState.REFUSED}


@dataclass
class _Reading:
    """What has been read of one delivery so far.

    `received` is the reader's own count of the file's records, `sound` those that became rows: an order laid
    out in lists is one record and several rows.
    """

    rows: SliceCollector
    refused: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    received: int = 0
    sound: int = 0
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def read_delivery(
    deployment: Deployment, profile: ClientProfile, delivery: Delivery, *, again: bool = False
) -> Delivery:
    """Standardize one landed delivery and record the outcome.

    Bytes that were read before under the same profile are not parsed again: the delivery takes over the
    outcome, and the slices, of the generation that held them first.

    Args:
        deployment: Lake and ledger.
        profile: The client.
        delivery: A delivery whose bytes are in the lake.
        again: Parse even what was read before; a person's wish after a change of code.

    Returns:
        The delivery in state `standardized` or `refused`.

    Raises:
        LakeError: Its bytes are missing from the lake.
        DeliveryError: Read again, it would be refused now; what was read of it before stays.
    """
    version = profile_sha(profile, delivery.dataset)
    if delivery.content_of is None:
        return _parse(deployment, profile, delivery, version, again=again)
    first = deployment.ledger.deliveries.get(delivery.content_of)
    if first is None:
        raise LakeError(
            f"{delivery.source_key}: its bytes were landed as delivery {delivery.content_of}, which the "
            "ledger does not know; run `symbiosys ledger rebuild`"
        )
    if again or first.state not in _READ or first.profile_sha != version:
        first = _parse(deployment, profile, first, version, again=again)
    outcome = replace(
        first,
        delivery_id=delivery.delivery_id,
        generation=delivery.generation,
        size=delivery.size,
        first_seen_at=delivery.first_seen_at,
        observed_seq=delivery.observed_seq,
        content_of=first.delivery_id,
    )
    _record(deployment, outcome, [])
    return outcome


def _parse(
    deployment: Deployment,
    profile: ClientProfile,
    delivery: Delivery,
    version: str,
    *,
    again: bool,
) -> Delivery:
    """Parse and record; a refusal leaves in place what was read of the delivery before."""
    with deployment.lake.scratch() as scratch:
        reading = _Reading(SliceCollector(scratch))
        try:
            _read_rows(deployment, profile, delivery, reading)
        except DeliveryError as error:
            refused = replace(
                delivery,
                state=DeliveryState.REFUSED,
                profile_sha=version,
                rows_received=None,
                rows_valid=None,
                rows_quarantined=None,
                quarantine_key=None,
                reason_code=error.code,
                reason=error.message,
                facts=reading.facts,
            )
            if delivery.state is not DeliveryState.STANDARDIZED:
                _record(deployment, refused, [])
            elif again:
                message = f"{error.message}. What was read of it before stays as it is"
                raise DeliveryError(error.code, message) from error
            # else: the generation with the same bytes is refused, and supersedes nothing.
            return refused
        with file_errors():
            slices, quarantine = _write_slices(deployment, profile, delivery, reading, scratch)
    quarantined = sum(part.quarantined for part in slices)
    if reading.received != reading.sound + quarantined:
        raise LakeError(
            f"{delivery.source_key}: {reading.received} records received, but {reading.sound} became rows "
            f"and {quarantined} were quarantined; expected each in one of the two. Nothing was recorded"
        )
    standardized = replace(
        delivery,
        state=DeliveryState.STANDARDIZED,
        profile_sha=version,
        rows_received=reading.received,
        rows_valid=reading.sound,
        rows_quarantined=quarantined,
        quarantine_key=quarantine,
        reason_code=None,
        reason=None,
        facts=reading.facts,
    )
    _record(deployment, standardized, slices)
    return standardized


def _record(deployment: Deployment, delivery: Delivery, slices: list[Slice]) -> None:
    deployment.ledger.deliveries.record(delivery, slices, keep=partial(write_manifest, deployment.lake))


def _read_rows(deployment: Deployment, profile: ClientProfile, delivery: Delivery, reading: _Reading) -> None:
    if delivery.landing_folder is None:
        raise LakeError(f"{delivery.source_key}: not landed yet; expected its bytes in the lake")
    source = source_of(profile, delivery)
    schema = SCHEMAS[delivery.dataset]
    spec = StandardizeSpec.of(
        profile,
        delivery.dataset,
        source,
        delivery_id=delivery.delivery_id,
        delivery_day=delivery.delivery_day,
    )
    with deployment.lake.open(landed_content(delivery.landing_folder)) as stream:
        raw = open_raw(stream, FileLayout.of(source))
        # Only then its header: what lacks a required column may be a line of values.
        resolution = resolve_columns(raw.header, source, schema)
        reading.facts["header"] = shown_names(raw.header)
        reading.facts["absent_columns"] = sorted(resolution.absent)
        reading.facts["extra_columns"] = sorted(shown_names(resolution.extra))
        for chunk in raw.chunks(set(resolution.columns.values())):
            typed = standardize(chunk.rows, resolution.columns, spec)
            reading.rows.add(typed.valid)
            reading.refused += [typed.refused, refuse_structural(chunk.refused, spec)]
            reading.sound += typed.valid["row_number"].n_unique()
        reading.received = raw.facts.records
        reading.facts.update(
            blank_lines=raw.facts.blank_lines,
            ends_with_newline=raw.facts.ends_with_newline,
            compression=str(raw.facts.compression),
            encoding=str(raw.facts.encoding),
            byte_order_mark=raw.facts.byte_order_mark,
            unpacked_bytes=raw.facts.size,
        )


def _write_slices(
    deployment: Deployment, profile: ClientProfile, delivery: Delivery, reading: _Reading, scratch: Path
) -> tuple[list[Slice], str | None]:
    unsound = pl.concat([empty_quarantine(), *reading.refused])
    by_line = delivery.dataset is Dataset.ORDERS and profile.orders.line_layout is LineLayout.ROW_PER_LINE
    refused = _with_incomplete_orders(reading, unsound) if by_line else unsound

    def keep(rows: pl.DataFrame) -> pl.DataFrame:
        return refuse_incomplete_orders(rows, unsound).valid if by_line else rows

    folder = standardized_folder(delivery.client, delivery.dataset, delivery.delivery_id)
    origin = {
        "symbiosys.client": delivery.client,
        "symbiosys.dataset": str(delivery.dataset),
        "symbiosys.delivery_id": delivery.delivery_id,
        "symbiosys.source_key": delivery.source_key,
    }
    quarantined = Counter(
        day or UNPLACED for day in cast("list[date | None]", refused["event_day"].to_list())
    )
    present = deployment.ledger.deliveries.live_slices_of_key(delivery)
    slices: list[Slice] = []
    for day in sorted({*reading.rows.days(), *quarantined}):
        fresh = Slice(
            delivery.delivery_id, day, 0, quarantined.get(day, 0), None, None, delivery.delivery_id, None
        )
        if day in reading.rows.days():
            file = scratch / f"slice-{day}.parquet"
            footer = {**origin, "symbiosys.event_day": str(day)}
            written = reading.rows.write(day, file, keep=keep, origin=footer)
            fresh = _slice(deployment, fresh, written, file, folder, present.get(day))
        slices.append(fresh)
    return slices, _write_quarantine(deployment, refused, folder, scratch, origin)


def _slice(
    deployment: Deployment,
    fresh: Slice,
    written: WrittenRows,
    file: Path,
    folder: str,
    present: Slice | None,
) -> Slice:
    """The slice with its file in the lake: the generation before's where it says the same."""
    if written.rows == 0:
        return fresh
    if present is not None and (present.rows, present.content) == (written.rows, written.content):
        return replace(
            fresh,
            rows=present.rows,
            key=present.key,
            sha256=present.sha256,
            origin=present.origin,
            content=present.content,
        )
    sha256 = file_sha256(file)
    key = slice_file(folder, fresh.event_day, sha256)
    deployment.lake.publish(file, key)
    return replace(fresh, rows=written.rows, key=key, sha256=sha256, content=written.content)


def _with_incomplete_orders(reading: _Reading, unsound: pl.DataFrame) -> pl.DataFrame:
    """The refused rows, and the sound lines of orders that lost a line: a part of an order is no order."""
    found = [unsound]
    for day in reading.rows.days():
        for part in reading.rows.parts(day):
            siblings = refuse_incomplete_orders(part, unsound).refused
            found.append(siblings.join(unsound, on="row_number", how="anti"))
    refused = pl.concat(found)
    reading.sound -= refused.height - unsound.height
    return refused


def _write_quarantine(
    deployment: Deployment, refused: pl.DataFrame, folder: str, scratch: Path, origin: dict[str, str]
) -> str | None:
    if refused.is_empty():
        return None
    file = scratch / "quarantine.parquet"
    ordered = refused.sort("row_number", "reason", maintain_order=True)
    ordered.write_parquet(file, compression="zstd", metadata=origin)
    key = quarantine_file(folder, file_sha256(file))
    deployment.lake.publish(file, key)
    return key
