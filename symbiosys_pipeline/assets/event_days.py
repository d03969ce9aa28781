"""The event-day axis of one client: staging and the event tables, as one step that works day by day.

One step, because a day's tables are published together and because only the days really rebuilt are
recorded: an asset that yields no output would make Dagster skip a separate downstream step. A day is yielded
as soon as it is done: an event that is only logged waits for the end of the step, and is lost when it fails.
"""

import warnings
from collections.abc import Iterator
from datetime import date

import dagster as dg

from symbiosys_pipeline.assets import event_metadata
from symbiosys_pipeline.assets.asset_specs import client_spec, freshness_of
from symbiosys_pipeline.assets.check_reports import report_nothing_delivered, report_rules, rule_checks
from symbiosys_pipeline.assets.keys import (
    SCOPE_STALE,
    SCOPE_TAG,
    events_key,
    staging_key,
    standardized_key,
)
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.layers import STAGING_TABLES
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, TABLES, Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import StaleInputError, SymbiosysError
from symbiosys_pipeline.steps.publish import Outcome
from symbiosys_pipeline.steps.rebuild import DayResult, rebuild_day

_DESCRIPTIONS = {
    Table.PAGE_VIEWS: "Distinct page views with their session, ready for attribution.",
    Table.ORDERS: "Distinct orders with revenue and the landing touch of their session.",
    Table.ORDER_LINES: "The lines of the orders.",
    Table.SESSIONS: "Sessions with views on the day; one over midnight has an additive part per day.",
}


def build_event_days(profile: ClientProfile, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The assets of a client's event days."""
    specs: list[dg.AssetSpec] = []
    checks: list[dg.AssetCheckSpec] = []
    for dataset in Dataset:
        specs.append(
            client_spec(
                profile,
                staging_key(profile.client, dataset),
                "The day's live rows of all deliveries, de-duplicated and judged by the quality rules.",
                kinds={"duckdb", "greatexpectations"},
                deps=[_deliveries_of(profile, dataset)],
                columns=STAGING_TABLES[dataset],
            )
        )
        checks += rule_checks(profile.client, dataset, partitions)
    staged = [staging_key(profile.client, dataset) for dataset in Dataset]
    specs += [
        client_spec(
            profile,
            events_key(profile.client, table),
            _DESCRIPTIONS[table],
            kinds={"duckdb", "parquet"},
            deps=staged,
            columns=TABLES[table],
            freshness=freshness_of(profile),
        )
        for table in EVENT_TABLES
    ]

    @dg.multi_asset(
        name=f"{profile.client}__event_days",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(31),
        group_name=profile.client,
    )
    def event_days(
        context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
    ) -> Iterator[dg.AssetMaterialization]:
        again = context.run.tags.get(SCOPE_TAG) != SCOPE_STALE
        failures: list[str] = []
        days = context.partition_keys
        for number, day in enumerate(days, start=1):
            try:
                result = rebuild_day(deployment, profile, date.fromisoformat(day), again=again)
            except StaleInputError as error:
                context.log.info("%s", error)
            except (SymbiosysError, OSError) as error:
                failures.append(f"{day}: {error}")
                context.log.error("%s: %s", day, error)
            else:
                yield from _record(context, deployment, profile, day, result)
                context.log.info("%d of %d: %s %s", number, len(days), day, result.sentence())
        if failures:
            raise dg.Failure("\n".join(failures), allow_retries=False)

    return event_days


def _deliveries_of(profile: ClientProfile, dataset: Dataset) -> dg.AssetDep:
    """An event day is made of the deliveries of that day and of as many later days as rows may be late."""
    lateness = max(profile.lateness_days(source) for source in profile.sources(dataset))
    with warnings.catch_warnings():
        # Beta: without it, the newest days could not be built before their late deliveries have a partition.
        warnings.simplefilter("ignore", dg.BetaWarning)
        mapping = dg.TimeWindowPartitionMapping(
            start_offset=0, end_offset=lateness, allow_nonexistent_upstream_partitions=True
        )
    return dg.AssetDep(standardized_key(profile.client, dataset), partition_mapping=mapping)


def _record(
    context: dg.AssetExecutionContext,
    deployment: Deployment,
    profile: ClientProfile,
    day: str,
    result: DayResult,
) -> Iterator[dg.AssetMaterialization]:
    """One materialization per table that was really rebuilt; reports the day's check results."""
    for dataset in Dataset:
        staged, judged = result.staged.get(dataset), result.judged.get(dataset)
        if staged is not None and staged.rebuilt:
            yield _materialization(
                staging_key(profile.client, dataset),
                day,
                event_metadata.of_staging(deployment, profile, dataset, staged, judged),
                staged.publication.wanted,
            )
        if judged is None:
            report_nothing_delivered(context, profile.client, dataset, day)
        else:
            report_rules(context, profile.client, dataset, day, judged)
    if result.published.outcome is Outcome.PUBLISHED:
        for table in EVENT_TABLES:
            metadata = event_metadata.of_events(deployment, profile, table, date.fromisoformat(day), result)
            yield _materialization(events_key(profile.client, table), day, metadata, result.published.version)
    if result.published.outcome is Outcome.REJECTED:
        context.log.warning("%s keeps its published version: %s", day, result.sentence())


def _materialization(
    key: dg.AssetKey, day: str, metadata: event_metadata.Metadata, version: str | None
) -> dg.AssetMaterialization:
    tags = {"dagster/data_version": (version or "none")[:16]}
    return dg.AssetMaterialization(key, partition=day, metadata=metadata, tags=tags)
