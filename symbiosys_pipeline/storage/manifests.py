"""The copy of the ledger's facts that lies beside the data, from which the ledger can be restored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.errors import LakeError
from symbiosys_pipeline.storage.lake import Lake
from symbiosys_pipeline.storage.layout import landed_manifest, landing_folder
from symbiosys_pipeline.storage.ledger_tables import (
    Delivery,
    DeliveryState,
    Publication,
    Slice,
    StoredVerdict,
)


@dataclass(frozen=True)
class DeliveryManifest:
    """A delivery and the slices it was read into."""

    delivery: Delivery
    slices: tuple[Slice, ...]


def manifest_key(delivery: Delivery) -> str:
    """Where a delivery's manifest lies."""
    return landed_manifest(
        landing_folder(delivery.client, delivery.dataset, delivery.delivery_day, delivery.delivery_id)
    )


def write_manifest(lake: Lake, delivery: Delivery, slices: Sequence[Slice]) -> None:
    """Put a delivery's manifest in place, replacing its earlier one."""
    content = {"delivery": vars(delivery), "slices": [vars(part) for part in slices]}
    lake.publish_bytes(_json(content), manifest_key(delivery))


def record_json(record: StoredVerdict | Publication) -> bytes:
    """A ledger row as the lake keeps it."""
    return _json(vars(record))


def read_manifest(lake: Lake, key: str) -> DeliveryManifest:
    """The manifest of that name; `LakeError` when it is not one."""
    try:
        content: dict[str, Any] = json.loads(lake.read_bytes(key))
        delivery = dict(content["delivery"])
        delivery["dataset"] = Dataset(delivery["dataset"])
        delivery["state"] = DeliveryState(delivery["state"])
        delivery["delivery_day"] = date.fromisoformat(delivery["delivery_day"])
        delivery["first_seen_at"] = datetime.fromisoformat(delivery["first_seen_at"])
        slices: list[Slice] = []
        for part in content["slices"]:
            values: dict[str, Any] = {**part, "event_day": date.fromisoformat(part["event_day"])}
            slices.append(Slice(**values))
        return DeliveryManifest(Delivery(**delivery), tuple(slices))
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(f"{key} is no delivery manifest; delete it and deliver the file again") from error


def _json(content: object) -> bytes:
    return json.dumps(content, default=_text, indent=1, sort_keys=True).encode()


def _text(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a manifest")
