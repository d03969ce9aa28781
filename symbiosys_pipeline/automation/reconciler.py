"""The reconciler: one sensor for all clients that reads only the ledger and requests the stale event days."""

from datetime import UTC, datetime
from itertools import chain, zip_longest
from zoneinfo import ZoneInfo

import dagster as dg

from symbiosys_pipeline.assets.keys import event_day_keys
from symbiosys_pipeline.automation.requests import Axis, busy, ranges_of, resting, run_request
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.steps.reconcile import LedgerView, days_to_rebuild

_SECONDS = 60
#: Runs requested per tick over all clients; the rest waits for the next tick.
_MAX_REQUESTS = 20


@dg.sensor(
    name="reconciler",
    description="Requests a rebuild of every event day that is not what its deliveries want.",
    asset_selection=dg.AssetSelection.all(),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def reconciler(
    context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> dg.SensorResult | dg.SkipReason:
    """Request stale days, newest ranges first, clients in turn so that none starves another."""
    per_client = [_requests(context, deployment, profile) for profile in deployment.profiles()]
    in_turn = [request for request in chain.from_iterable(zip_longest(*per_client)) if request is not None]
    if not in_turn:
        return dg.SkipReason("every day is what its deliveries want, or waits for a run or a person")
    return dg.SensorResult(run_requests=in_turn[:_MAX_REQUESTS])


def _requests(
    context: dg.SensorEvaluationContext, deployment: Deployment, profile: ClientProfile
) -> list[dg.RunRequest]:
    if busy(context.instance, profile.client, Axis.EVENT_DAYS):
        return []
    if resting(context.instance, profile.client, Axis.EVENT_DAYS):
        return []
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(profile.time_zone)).date()
    days = days_to_rebuild(LedgerView.of(deployment, profile), now=now.replace(tzinfo=None))
    keys = event_day_keys(profile.client)
    # An event a few minutes ahead of the clock lies on a day that has no partition yet: only that day waits.
    ranges = ranges_of(day for day in days if day <= today)
    return [
        run_request(profile.client, Axis.EVENT_DAYS, part, keys, today=today) for part in reversed(ranges)
    ]
