"""What the Dagster UI shows of one event day of one table. The preview holds no personal data."""

from datetime import date, datetime

import dagster as dg
import polars as pl

from symbiosys_pipeline.assets.delivery_metadata import Metadata
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.contracts.tables import Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.steps.judge import Judged
from symbiosys_pipeline.steps.rebuild import DayResult
from symbiosys_pipeline.steps.stage import Staged
from symbiosys_pipeline.storage.layout import events_partition, staging_partition

#: Columns that may be shown: no ids of people, no hashes, no URLs, no free text.
_SHOWN = {
    Table.PAGE_VIEWS: ("event_ts", "platform", "product_id", "session_source", "is_landing"),
    Table.ORDERS: ("event_ts", "currency", "line_count", "units", "revenue", "is_cancelled", "is_collision"),
    Table.ORDER_LINES: ("event_ts", "product_id", "quantity", "net_unit_price", "revenue"),
    Table.SESSIONS: ("session_start_ts", "platform", "views", "orders", "revenue", "split_reason"),
}
_ROWS = 5


def of_staging(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, staged: Staged, judged: Judged | None
) -> Metadata:
    """Counts, the reason of the rebuild, the books and the verdict of one staged day."""
    publication = staged.publication
    key = staging_partition(dataset, profile.client, publication.event_day)
    account = deployment.ledger.deliveries.account(profile.client, dataset, publication.event_day)
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(publication.counts["rows"]),
        "rows_received": dg.MetadataValue.int(account.received),
        "duplicates": dg.MetadataValue.int(publication.counts["duplicates"]),
        "quarantined": dg.MetadataValue.int(account.quarantined),
        "superseded": dg.MetadataValue.int(account.superseded),
        "deliveries": dg.MetadataValue.int(len(publication.inputs.get("deliveries", ()))),
        "why_rebuilt": dg.MetadataValue.text(staged.reason),
        "path": dg.MetadataValue.path(deployment.lake.uri(key)),
    }
    if judged is not None:
        metadata["verdict"] = dg.MetadataValue.text("accepted" if judged.stored.passes else "rejected")
        metadata["quality"] = dg.MetadataValue.md(judged.verdict.summary_markdown())
        metadata["data_docs"] = dg.MetadataValue.path(judged.docs_uri)
    return metadata


def of_events(
    deployment: Deployment, profile: ClientProfile, table: Table, event_day: date, result: DayResult
) -> Metadata:
    """Counts, the reason of the rebuild and a preview of one published table and day."""
    uri = deployment.lake.uri(events_partition(table, profile.client, event_day))
    rows = pl.scan_parquet(uri).select(_SHOWN[table]).head(_ROWS).collect()
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(result.published.counts[str(table)]),
        "why_rebuilt": dg.MetadataValue.text(result.published.reason),
        "path": dg.MetadataValue.path(uri),
        "preview": dg.MetadataValue.md(_markdown(rows)),
    }
    if table is Table.ORDERS:
        revenue = pl.scan_parquet(uri).group_by("currency").agg(pl.col("revenue").sum()).collect()
        for currency, total in revenue.iter_rows():
            metadata[f"revenue_{currency}"] = dg.MetadataValue.text(str(total))
    return metadata


def _markdown(rows: pl.DataFrame) -> str:
    lines = [" | ".join(rows.columns), " | ".join("---" for _ in rows.columns)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows.iter_rows()]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)
