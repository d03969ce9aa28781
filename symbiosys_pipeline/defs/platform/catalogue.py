"""The catalogue for people and the daily health page, with their schedules."""

from typing import Any

import dagster as dg

from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.reports.catalogue import rebuild_catalogue
from symbiosys_pipeline.reports.docs_index import rebuild_docs_index
from symbiosys_pipeline.reports.status import client_status, status_markdown

_WAREHOUSE = dg.AssetKey(["platform", "warehouse"])
_HEALTH = dg.AssetKey(["platform", "client_health"])


@dg.asset(key=_WAREHOUSE, group_name="platform", kinds={"duckdb"})
def warehouse(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult[Any]:
    """`warehouse.duckdb`: views over every published file, rebuilt beside and swapped in whole."""
    views = rebuild_catalogue(deployment)
    docs = rebuild_docs_index(deployment)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(deployment.settings.warehouse)),
            "data_docs": dg.MetadataValue.path(docs),
            "views": dg.MetadataValue.md("\n".join(f"- `{view}`" for view in views)),
        }
    )


@dg.asset(key=_HEALTH, group_name="platform", kinds={"markdown"})
def client_health(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult[Any]:
    """Per client and day: arrived, empty, late, missing, refused, rejected, published, stale."""
    sections = [
        f"### {profile.title or profile.client}\n\n{status_markdown(client_status(deployment, profile))}"
        for profile in deployment.profiles()
    ]
    return dg.MaterializeResult(
        metadata={"health": dg.MetadataValue.md("\n\n".join(sections) or "no clients")}
    )


@dg.definitions
def platform() -> dg.Definitions:
    """Both assets; the catalogue hourly, the health page every morning (UTC)."""
    return dg.Definitions(
        assets=[warehouse, client_health],
        schedules=[
            dg.ScheduleDefinition(
                name="catalogue_hourly",
                target=[_WAREHOUSE],
                cron_schedule="15 * * * *",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
            dg.ScheduleDefinition(
                name="client_health_daily",
                target=[_HEALTH],
                cron_schedule="0 6 * * *",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
        ],
    )
