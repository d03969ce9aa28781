"""What every asset of a client shares: owners, group, tags, partitions, freshness, column schema."""

from collections.abc import Sequence
from datetime import time, timedelta
from functools import cache

import dagster as dg

from symbiosys_pipeline.contracts.columns import TableColumn
from symbiosys_pipeline.contracts.profile import ClientProfile


def partitions_of(profile: ClientProfile) -> dg.DailyPartitionsDefinition:
    """The client's days, in its own zone, today included."""
    return dg.DailyPartitionsDefinition(
        start_date=profile.start_date.isoformat(), timezone=profile.time_zone, end_offset=1
    )


@cache
def _freshness(at: time, time_zone: str, days_after: int) -> dg.FreshnessPolicy:
    """One policy object per due time: building one costs milliseconds, and clients share few due times."""
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{at.minute} {at.hour} * * *",
        lower_bound_delta=timedelta(days=max(days_after, 1)),
        timezone=time_zone,
    )


def freshness_of(profile: ClientProfile) -> dg.FreshnessPolicy | None:
    """Published days must keep coming once the client is live; its history has no due time."""
    if profile.live_from is None:
        return None
    dues = [source.due for source in (*profile.page_views.sources, *profile.orders.sources)]
    latest = max(dues, key=lambda due: (due.days_after, due.at))
    return _freshness(latest.at, profile.time_zone, latest.days_after)


def client_spec(
    profile: ClientProfile,
    key: dg.AssetKey,
    description: str,
    *,
    kinds: set[str],
    deps: Sequence[dg.AssetKey | dg.AssetDep] = (),
    columns: Sequence[TableColumn] = (),
    freshness: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    """An asset of a client; skippable, since only what was really rebuilt is recorded.

    Its layer is one of its kinds: the graph shows only the last part of a key, and each layer has `orders`.
    """
    metadata: dict[str, object] = {}
    if columns:
        metadata["dagster/column_schema"] = dg.TableSchema(
            columns=[
                dg.TableColumn(column.name, type=str(column.dtype), description=column.description)
                for column in columns
            ]
        )
    return dg.AssetSpec(
        key,
        description=description,
        deps=list(deps),
        owners=list(profile.owners),
        kinds={key.path[1], *kinds},
        tags={"client": profile.client, "layer": key.path[1]},
        metadata=metadata,
        freshness_policy=freshness,
        skippable=True,
    )
