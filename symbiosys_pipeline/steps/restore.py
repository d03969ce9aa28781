"""Restore the ledger from the lake: every landed delivery, verdict and publication left its record there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import LakeError
from symbiosys_pipeline.storage.ledger_tables import (
    DELIVERIES,
    METADATA,
    PUBLICATIONS,
    SLICES,
    VERDICTS,
    Layer,
    Publication,
    StoredVerdict,
)
from symbiosys_pipeline.storage.manifests import read_manifest

Row = TypeVar("Row", StoredVerdict, Publication)


@dataclass(frozen=True)
class Restored:
    """How many rows of each kind the lake gave back."""

    deliveries: int
    slices: int
    verdicts: int
    publications: int


def restore_ledger(deployment: Deployment) -> Restored:
    """Replace the ledger's content by what the lake says, in one transaction.

    A delivery that was seen but not landed is not in the lake; the next look at its source finds it again.

    Raises:
        LakeError: A record of the lake cannot be read; the ledger is left as it was.
    """
    lake = deployment.lake
    manifests = [read_manifest(lake, key) for key in lake.list("landing", "delivery.json")]
    verdicts = [_record(deployment, key, _verdict) for key in lake.list("verdicts", "*.json")]
    publications = [_record(deployment, key, _publication) for key in lake.list("publications", "*.json")]
    slices = [part for manifest in manifests for part in manifest.slices]
    rows: dict[sa.Table, list[dict[str, Any]]] = {
        DELIVERIES: [
            {
                **vars(item.delivery),
                "dataset": str(item.delivery.dataset),
                "state": str(item.delivery.state),
            }
            for item in manifests
        ],
        SLICES: [dict(vars(part)) for part in slices],
        VERDICTS: [{**vars(item), "dataset": str(item.dataset)} for item in verdicts],
        PUBLICATIONS: [{**vars(item), "layer": str(item.layer)} for item in publications],
    }
    with deployment.ledger.writing() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(sa.delete(table))
        for table, found in rows.items():
            if found:
                connection.execute(sa.insert(table), found)
    return Restored(len(manifests), len(slices), len(verdicts), len(publications))


def _record(deployment: Deployment, key: str, read: Callable[[dict[str, Any]], Row]) -> Row:
    try:
        return read(json.loads(deployment.lake.read_bytes(key)))
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(f"{key} is no record of the ledger; delete it and run `symbiosys run`") from error


def _verdict(record: dict[str, Any]) -> StoredVerdict:
    values: dict[str, Any] = dict(record)
    values["dataset"] = Dataset(values["dataset"])
    values["event_day"] = date.fromisoformat(values["event_day"])
    values["decided_at"] = datetime.fromisoformat(values["decided_at"])
    return StoredVerdict(**values)


def _publication(record: dict[str, Any]) -> Publication:
    values: dict[str, Any] = dict(record)
    values["layer"] = Layer(values["layer"])
    values["event_day"] = date.fromisoformat(values["event_day"])
    values["published_at"] = datetime.fromisoformat(values["published_at"])
    return Publication(**values)
