"""One delivery sensor per client: looks at its sources and requests runs for what has to be landed or read.

It is not trusted for correctness: what it misses, the next tick or `symbiosys run` finds.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from symbiosys_pipeline.assets.keys import delivery_keys
from symbiosys_pipeline.automation.requests import Axis, busy, ranges_of, resting, run_request
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import SymbiosysError
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline.steps.pending import pending_delivery_days

_SECONDS = 60


def build_delivery_sensor(profile: ClientProfile) -> dg.SensorDefinition:
    """The client's delivery sensor; an error of a source fails this client's tick and no other.

    Where the other dataset has something to deliver, that is requested, and the error is in the tick's log.
    """
    keys = delivery_keys(profile.client)

    @dg.sensor(
        name=f"{profile.client}_deliveries",
        description=f"Requests runs for new deliveries of {profile.title or profile.client}.",
        asset_selection=keys,
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def deliveries(
        context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]
    ) -> dg.SensorResult | dg.SkipReason:
        if busy(context.instance, profile.client, Axis.DELIVERIES):
            return dg.SkipReason("a run over this client's deliveries is queued or running")
        if resting(context.instance, profile.client, Axis.DELIVERIES):
            return dg.SkipReason("recent runs failed; waiting before the next attempt")
        listed = 0
        failures: list[SymbiosysError | OSError] = []
        for dataset in Dataset:
            try:
                found = discover(deployment, profile, dataset)
            except (SymbiosysError, OSError) as error:
                context.log.error("%s: %s", dataset, error)
                failures.append(error)
                continue
            listed += found.listed
            for reason, (count, examples) in found.ignored.items():
                context.log.warning("%s: %d objects left alone: %s (%s)", dataset, count, reason, examples)
        days = pending_delivery_days(deployment, profile)
        if failures and not days:
            raise failures[0]
        if not days:
            return dg.SkipReason(f"{listed} objects listed, nothing new")
        today = datetime.now(UTC).astimezone(ZoneInfo(profile.time_zone)).date()
        requests = [
            run_request(profile.client, Axis.DELIVERIES, part, keys, today=today) for part in ranges_of(days)
        ]
        return dg.SensorResult(run_requests=requests)

    return deliveries
