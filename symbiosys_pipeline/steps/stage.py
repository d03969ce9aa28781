"""Stage one event day of one dataset: the union of its live slices, de-duplicated, as one Parquet file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl
import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.layers import standardized_schema
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.storage.delivery_ledger import LiveSlice, live_slices
from symbiosys_pipeline.storage.lake import file_sha256
from symbiosys_pipeline.storage.layout import publication_file, staging_partition
from symbiosys_pipeline.storage.ledger_tables import Layer, Publication
from symbiosys_pipeline.storage.manifests import record_json
from symbiosys_pipeline.storage.parquet import copy_to_parquet, count_rows
from symbiosys_pipeline.storage.publication_ledger import wanted_staging
from symbiosys_pipeline.transforms.stage import count_duplicates, stage_orders, stage_page_views


@dataclass(frozen=True)
class Staged:
    """What staging one day did.

    Attributes:
        publication: The version now in place.
        rebuilt: False where it already was what is wanted.
        reason: Which deliveries came, went or were corrected since the version before.
    """

    publication: Publication
    rebuilt: bool
    reason: str


def stage_day(
    deployment: Deployment,
    profile: ClientProfile,
    dataset: Dataset,
    event_day: date,
    *,
    again: bool = False,
) -> Staged:
    """Make a day's staged partition what its live slices want; does nothing where it is that already.

    Args:
        deployment: Lake and ledger.
        profile: The client.
        dataset: Which dataset.
        event_day: Local day of the client.
        again: Rebuild even an up-to-date day; a person's wish after a change of code.

    Raises:
        StaleInputError: A delivery came or went while the day was rebuilt; nothing was replaced.
        LakeError: A slice is missing from the lake.
    """
    layer = Layer.staging(dataset)
    present = deployment.ledger.publications.get(profile.client, layer, event_day)
    live = deployment.ledger.deliveries.live_slices(profile.client, dataset, [event_day])
    wanted = wanted_staging(live)
    if present is not None and present.wanted == wanted and not again:
        return Staged(present, rebuilt=False, reason="up to date")
    key = staging_partition(dataset, profile.client, event_day)
    with deployment.lake.scratch() as scratch, deployment.duckdb() as connection:
        file = scratch / "data.parquet"
        relation = _relation(deployment, profile, dataset, live, connection)
        origin = {"client": profile.client, "table": layer, "event_day": str(event_day), "made_from": wanted}
        copy_to_parquet(connection, relation, file, origin)
        counts = {
            "rows": count_rows(connection, file),
            "duplicates": count_duplicates(connection, dataset, profile.orders.line_layout),
        }
        inputs = {"deliveries": sorted({part.live_delivery_id for part in live})}
        reason = _reason(present, inputs["deliveries"], live)
        publication = Publication(
            client=profile.client,
            layer=layer,
            event_day=event_day,
            revision=0,
            wanted=wanted,
            sha256=file_sha256(file),
            inputs=inputs,
            counts=counts,
            reason=reason,
            published_at=None,
        )

        def still_wanted(ledger: sa.Connection) -> bool:
            return wanted_staging(live_slices(ledger, profile.client, dataset, [event_day])) == wanted

        def keep(recorded: Publication) -> None:
            record = publication_file(layer, profile.client, event_day)
            deployment.lake.publish_bytes(record_json(recorded), record)

        deployment.ledger.publications.publish(
            publication,
            still_wanted=still_wanted,
            install=lambda: deployment.lake.publish(file, key),
            keep=keep,
        )
    return Staged(publication, rebuilt=True, reason=reason)


def _relation(
    deployment: Deployment,
    profile: ClientProfile,
    dataset: Dataset,
    live: Sequence[LiveSlice],
    connection: duckdb.DuckDBPyConnection,
) -> duckdb.DuckDBPyRelation:
    """The day's distinct rows; leaves its `slices` on the connection for counting the duplicates."""
    keys = [part.slice.key for part in live if part.slice.key is not None]
    if keys:
        connection.read_parquet([deployment.lake.uri(key) for key in keys]).create_view("slices")
    else:
        connection.register("slices", pl.DataFrame(schema=standardized_schema(dataset)))
    deliveries = pl.DataFrame(
        [(part.slice.origin, part.delivery_day, part.source_key) for part in live],
        schema={"delivery_id": pl.String, "delivery_day": pl.Date, "source_key": pl.String},
        orient="row",
    )
    connection.register("deliveries", deliveries)
    if dataset is Dataset.PAGE_VIEWS:
        return stage_page_views(connection)
    return stage_orders(connection, profile.orders.line_layout)


def _reason(present: Publication | None, deliveries: Sequence[str], live: Sequence[LiveSlice]) -> str:
    before = set(present.inputs.get("deliveries", ())) if present is not None else set[str]()
    names = {part.live_delivery_id: part.source_key for part in live}
    came = sorted(names[delivery] for delivery in set(deliveries) - before)
    went = len(before - set(deliveries))
    if not came and not went:
        return "rebuilt on demand" if present is not None and present.wanted else "first rebuild"
    parts: list[str] = []
    if came:
        shown = ", ".join(came[:3]) + (f" and {len(came) - 3} more" if len(came) > 3 else "")
        parts.append(f"rows from {shown}")
    if went:
        parts.append(f"{went} superseded delivery(ies)")
    return "; ".join(parts)
