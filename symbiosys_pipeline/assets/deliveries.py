"""The delivery-day axis of one client: landing, standardized and quarantine of both datasets, as one step."""

from collections.abc import Generator, Iterator
from datetime import date

import dagster as dg

from symbiosys_pipeline.assets import delivery_metadata
from symbiosys_pipeline.assets.asset_specs import client_spec
from symbiosys_pipeline.assets.check_reports import delivery_checks, report_deliveries
from symbiosys_pipeline.assets.keys import (
    SCOPE_STALE,
    SCOPE_TAG,
    landing_key,
    quarantine_key,
    standardized_key,
)
from symbiosys_pipeline.clients import profile_sha
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import SymbiosysError
from symbiosys_pipeline.steps.deliver import deliver
from symbiosys_pipeline.steps.discover import discover


def build_deliveries(profile: ClientProfile, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The assets of a client's delivery days."""
    specs: list[dg.AssetSpec] = []
    checks: list[dg.AssetCheckSpec] = []
    for dataset in Dataset:
        landing = landing_key(profile.client, dataset)
        standardized = standardized_key(profile.client, dataset)
        specs += [
            client_spec(profile, landing, "The client's bytes, exactly as delivered.", kinds={"file"}),
            client_spec(
                profile,
                standardized,
                "Typed rows of each delivery, one Parquet slice per event day.",
                kinds={"polars", "parquet"},
                deps=[landing],
            ),
            client_spec(
                profile,
                quarantine_key(profile.client, dataset),
                "Rows that break the contract: reason, field, delivery, row number, masked text.",
                kinds={"parquet"},
                deps=[landing],
            ),
        ]
        checks += delivery_checks(profile.client, dataset, partitions)

    @dg.multi_asset(
        name=f"{profile.client}__deliveries",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(31),
        group_name=profile.client,
    )
    def deliveries(
        context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
    ) -> Iterator[dg.AssetMaterialization]:
        again = context.run.tags.get(SCOPE_TAG) != SCOPE_STALE
        failures: list[str] = []
        for dataset in Dataset:
            if standardized_key(profile.client, dataset) in context.selected_asset_keys:
                failures += _look(context, deployment, profile, dataset)
                for day in context.partition_keys:
                    failures += yield from _deliver_day(
                        context, deployment, profile, dataset, day, again=again
                    )
        if failures:
            raise dg.Failure("\n".join(failures))

    return deliveries


def _look(
    context: dg.AssetExecutionContext, deployment: Deployment, profile: ClientProfile, dataset: Dataset
) -> list[str]:
    """Look at a dataset's sources; what failed, in words: what is known already is delivered all the same."""
    try:
        discover(deployment, profile, dataset)
    except (SymbiosysError, OSError) as error:
        context.log.error("%s: %s", dataset, error)
        return [f"{dataset}: {error}"]
    return []


def _deliver_day(
    context: dg.AssetExecutionContext,
    deployment: Deployment,
    profile: ClientProfile,
    dataset: Dataset,
    day: str,
    *,
    again: bool,
) -> Generator[dg.AssetMaterialization, None, list[str]]:
    """Land and read one delivery day; returns what failed, in words, so that other days go on."""
    ledger = deployment.ledger.deliveries
    failures: list[str] = []
    touched = 0
    for delivery in ledger.current(profile.client, dataset, date.fromisoformat(day)):
        try:
            done = deliver(deployment, profile, delivery, again=again)
        except (SymbiosysError, OSError) as error:
            failures.append(f"{delivery.source_key}: {error}")
            context.log.error("%s: %s", delivery.source_key, error)
            continue
        if done is not None:
            touched += 1
            context.log.info("%s: %s, %s rows", done.source_key, done.state, done.rows_received)
    current = ledger.current(profile.client, dataset, date.fromisoformat(day))
    if touched:
        for key, metadata in delivery_metadata.of_day(deployment, profile, dataset, current).items():
            yield dg.AssetMaterialization(
                key,
                partition=day,
                metadata=metadata,
                tags={"dagster/data_version": profile_sha(profile, dataset)[:12]},
            )
    report_deliveries(context, profile, dataset, day, current)
    return failures
