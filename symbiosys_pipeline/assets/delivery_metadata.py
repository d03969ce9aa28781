"""What the Dagster UI shows of one delivery day. Counts, names and reasons; never a field's value."""

from collections import Counter

import dagster as dg
import polars as pl

from symbiosys_pipeline.assets.keys import landing_key, quarantine_key, standardized_key
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.storage.ledger_tables import UNPLACED, Delivery, DeliveryState

_SHOWN = 50

Metadata = dict[str, dg.MetadataValue]


def of_day(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, deliveries: list[Delivery]
) -> dict[dg.AssetKey, Metadata]:
    """Metadata for landing, standardized and quarantine of one delivery day."""
    standardized = [item for item in deliveries if item.state is DeliveryState.STANDARDIZED]
    refused = [item for item in deliveries if item.state is DeliveryState.REFUSED]
    reasons = reject_reasons(deployment, standardized)
    return {
        landing_key(profile.client, dataset): {
            "deliveries": dg.MetadataValue.int(len(deliveries)),
            "bytes": dg.MetadataValue.int(sum(item.size for item in deliveries)),
            "files": dg.MetadataValue.md(_listing(deliveries)),
        },
        standardized_key(profile.client, dataset): {
            "dagster/row_count": dg.MetadataValue.int(_sum(standardized, "rows_valid")),
            "rows_received": dg.MetadataValue.int(_sum(standardized, "rows_received")),
            "rows_quarantined": dg.MetadataValue.int(_sum(standardized, "rows_quarantined")),
            "refused_deliveries": dg.MetadataValue.int(len(refused)),
            **_touched(deployment, standardized),
        },
        quarantine_key(profile.client, dataset): {
            "dagster/row_count": dg.MetadataValue.int(sum(reasons.values())),
            "reasons": dg.MetadataValue.md(_table(("reason", "rows"), reasons.most_common())),
        },
    }


def reject_reasons(deployment: Deployment, deliveries: list[Delivery]) -> Counter[str]:
    """How many rows of some deliveries were refused, by `field: reason`."""
    keys = sorted({item.quarantine_key for item in deliveries if item.quarantine_key is not None})
    found: Counter[str] = Counter()
    for key in keys:
        rows = pl.read_parquet(deployment.lake.uri(key), columns=["field", "reason"])
        for field, reason, count in rows.group_by("field", "reason").len().iter_rows():
            found[f"{field or 'record'}: {reason}"] += count
    return found


def _touched(deployment: Deployment, deliveries: list[Delivery]) -> Metadata:
    touched: Counter[str] = Counter()
    late = 0
    oldest = 0
    for delivery in deliveries:
        for part in deployment.ledger.deliveries.slices_of(delivery.content_id):
            if part.event_day == UNPLACED or part.rows == 0:
                continue
            touched[str(part.event_day)] += part.rows
            days = (delivery.delivery_day - part.event_day).days
            late += part.rows if days > 0 else 0
            oldest = max(oldest, days)
    return {
        "late_rows": dg.MetadataValue.int(late),
        "lag_days": dg.MetadataValue.int(oldest),
        "touched_days": dg.MetadataValue.md(_table(("event day", "rows"), sorted(touched.items()))),
    }


def _sum(deliveries: list[Delivery], name: str) -> int:
    return sum(getattr(item, name) or 0 for item in deliveries)


def _listing(deliveries: list[Delivery]) -> str:
    rows = [(item.source_key, item.size, str(item.state), item.reason or "") for item in deliveries[:_SHOWN]]
    more = f"\n\n… and {len(deliveries) - _SHOWN} more" if len(deliveries) > _SHOWN else ""
    return _table(("file", "bytes", "state", "reason"), rows) + more


def _table(header: tuple[str, ...], rows: list[tuple[str, int]] | list[tuple[str, int, str, str]]) -> str:
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(str(cell).replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)
