"""Asset checks per rule and event day: their specs, and their results reported with run and partition.

All use of Dagster's preview feature "partitions on check specs" is in this module. A result yielded in a run
over several days would carry no day, so every result is reported as its own event instead.
"""

import warnings

import dagster as dg
from dagster import DagsterEvent, DagsterEventType
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from symbiosys_pipeline.assets.keys import staging_key, standardized_key
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.quality.verdict import RuleOutcome, Severity
from symbiosys_pipeline.steps.deliver import loses_too_many_rows
from symbiosys_pipeline.steps.judge import Judged
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState

NO_REFUSED = "no_refused_delivery"
MAPPED_COLUMNS = "mapped_columns_present"
SOUND_ROWS = "rows_are_sound"


def rule_checks(
    client: str, dataset: Dataset, partitions: dg.PartitionsDefinition
) -> list[dg.AssetCheckSpec]:
    """One check per rule of the catalogue, on the staged day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                rule.id,
                asset=staging_key(client, dataset),
                description=f"{rule.title}. {rule.reason} ({rule.source})",
                blocking=rule.severity is Severity.CRITICAL,
                partitions_def=partitions,
                metadata={"severity": str(rule.severity), "remedy": rule.remedy},
            )
            for rule in rules_for(dataset)
        ]


def delivery_checks(
    client: str, dataset: Dataset, partitions: dg.PartitionsDefinition
) -> list[dg.AssetCheckSpec]:
    """The checks on a delivery day: nothing refused whole, enough sound rows, every mapped column there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                NO_REFUSED,
                asset=standardized_key(client, dataset),
                description="Every delivery of the day could be read; a refused one supersedes nothing.",
                partitions_def=partitions,
            ),
            dg.AssetCheckSpec(
                SOUND_ROWS,
                asset=standardized_key(client, dataset),
                description="Enough rows of every delivery are sound (threshold valid_share). Rows without a "
                "readable time belong to no event day, so no check of a day counts them.",
                partitions_def=partitions,
            ),
            dg.AssetCheckSpec(
                MAPPED_COLUMNS,
                asset=standardized_key(client, dataset),
                description="Every column the profile maps is in every delivery of the day.",
                partitions_def=partitions,
            ),
        ]


def _target(
    context: dg.AssetExecutionContext, key: dg.AssetKey, day: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """The day's newest materialization: without it, the UI calls a result of an earlier run not evaluated."""
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=1
    ).records
    if not records:
        return None
    newest = records[0]
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
    )


def _report(context: dg.AssetExecutionContext, evaluation: dg.AssetCheckEvaluation) -> None:
    context.instance.report_dagster_event(
        DagsterEvent(
            event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
            job_name=context.run.job_name,
            event_specific_data=evaluation,
        ),
        run_id=context.run.run_id,
    )


def report_rules(
    context: dg.AssetExecutionContext, client: str, dataset: Dataset, event_day: str, judged: Judged
) -> None:
    """Report what each rule said of one staged day, once the day itself is recorded."""
    target = _target(context, staging_key(client, dataset), event_day)
    for outcome in judged.verdict.outcomes:
        _report(
            context,
            dg.AssetCheckEvaluation(
                asset_key=staging_key(client, dataset),
                check_name=outcome.rule_id,
                passed=bool(outcome.passed),
                severity=_severity(outcome),
                partition=event_day,
                description=outcome.observed,
                target_materialization_data=target,
                metadata=_rule_metadata(outcome, judged),
            ),
        )


def _severity(outcome: RuleOutcome) -> dg.AssetCheckSeverity:
    critical = outcome.severity is Severity.CRITICAL
    return dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN


def _rule_metadata(outcome: RuleOutcome, judged: Judged) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        "observed": dg.MetadataValue.text(outcome.observed),
        "checked": dg.MetadataValue.int(outcome.checked),
        "unexpected": dg.MetadataValue.int(outcome.unexpected),
        "data_docs": dg.MetadataValue.path(judged.docs_uri),
    }
    if not outcome.passed:
        metadata["remedy"] = dg.MetadataValue.md(outcome.remedy)
        metadata["summary"] = dg.MetadataValue.md(judged.verdict.summary_markdown())
        if outcome.samples:
            rows = "\n".join(
                f"- delivery `{row.delivery_id}`, row {row.row_number}" for row in outcome.samples
            )
            metadata["sample_rows"] = dg.MetadataValue.md(rows)
    if judged.stored.accepted_by:
        accepted = f"accepted by {judged.stored.accepted_by}: {judged.stored.accept_reason}"
        metadata["accepted"] = dg.MetadataValue.text(accepted)
    return metadata


def report_nothing_delivered(
    context: dg.AssetExecutionContext, client: str, dataset: Dataset, event_day: str
) -> None:
    """Close the planned checks of a day for which no row was ever delivered."""
    for rule in rules_for(dataset):
        _report(
            context,
            dg.AssetCheckEvaluation(
                asset_key=staging_key(client, dataset),
                check_name=rule.id,
                passed=True,
                severity=dg.AssetCheckSeverity.WARN,
                partition=event_day,
                description="not judged: no row was ever delivered for this day",
            ),
        )


def report_deliveries(
    context: dg.AssetExecutionContext,
    profile: ClientProfile,
    dataset: Dataset,
    delivery_day: str,
    deliveries: list[Delivery],
) -> None:
    """Report which deliveries of a day were refused, which lost too many rows, which lack a mapped column."""
    refused = [item for item in deliveries if item.state is DeliveryState.REFUSED]
    absent = {
        item.source_key: columns
        for item in deliveries
        if item.facts is not None and (columns := item.facts.get("absent_columns"))
    }
    findings = {
        NO_REFUSED: (dg.AssetCheckSeverity.ERROR, {item.source_key: str(item.reason) for item in refused}),
        SOUND_ROWS: (
            dg.AssetCheckSeverity.ERROR,
            {
                item.source_key: f"{item.rows_quarantined:,} of {item.rows_received:,} rows quarantined"
                for item in deliveries
                if loses_too_many_rows(profile, item)
            },
        ),
        MAPPED_COLUMNS: (
            dg.AssetCheckSeverity.WARN,
            {key: f"without {', '.join(columns)}" for key, columns in absent.items()},
        ),
    }
    target = _target(context, standardized_key(profile.client, dataset), delivery_day)
    for name, (severity, found) in findings.items():
        listed = "\n".join(f"- `{key}`: {text}" for key, text in sorted(found.items()))
        _report(
            context,
            dg.AssetCheckEvaluation(
                asset_key=standardized_key(profile.client, dataset),
                check_name=name,
                passed=not found,
                severity=severity,
                partition=delivery_day,
                description=f"{len(found)} of {len(deliveries)} deliveries",
                target_materialization_data=target,
                metadata={"deliveries": dg.MetadataValue.md(listed or "none")},
            ),
        )
