"""From days to runs: contiguous ranges, one run each, never two at a time for the same days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from symbiosys_pipeline.assets.keys import (
    AXIS_TAG,
    CLIENT_TAG,
    SCOPE_STALE,
    SCOPE_TAG,
    delivery_keys,
    event_day_keys,
)

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PRIORITY_TAG = "dagster/priority"

#: Days per run: start-up is paid once per run, and a failure is retried per range.
MAX_DAYS_PER_RUN = 31
#: Unfinished runs looked through for those a person started; what is missed is only done twice.
_MOST_UNFINISHED = 200
#: A range that ends longer ago than this is history and waits for daily work.
_RECENT_DAYS = 7

_UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


class Axis(StrEnum):
    """Which partitions a run works on."""

    DELIVERIES = "deliveries"
    EVENT_DAYS = "event_days"


@dataclass(frozen=True)
class DayRange:
    """Contiguous days, both ends included."""

    first: date
    last: date

    def tags(self, client: str, axis: Axis) -> dict[str, str]:
        """The run tags that select these days and make the run do only what is stale."""
        return {
            RANGE_START_TAG: self.first.isoformat(),
            RANGE_END_TAG: self.last.isoformat(),
            CLIENT_TAG: client,
            AXIS_TAG: str(axis),
            SCOPE_TAG: SCOPE_STALE,
        }


def ranges_of(days: Iterable[date], *, longest: int = MAX_DAYS_PER_RUN) -> list[DayRange]:
    """The days as contiguous ranges, oldest first."""
    ranges: list[DayRange] = []
    for day in sorted(set(days)):
        last = ranges[-1] if ranges else None
        if last and day == last.last + timedelta(days=1) and (day - last.first).days < longest:
            ranges[-1] = DayRange(last.first, day)
        else:
            ranges.append(DayRange(day, day))
    return ranges


def run_request(
    client: str, axis: Axis, days: DayRange, keys: Sequence[dg.AssetKey], *, today: date
) -> dg.RunRequest:
    """A run over a range. No run key: it would suppress the range for ever after a failed run."""
    history = (today - days.last).days > _RECENT_DAYS
    return dg.RunRequest(
        asset_selection=list(keys),
        tags={**days.tags(client, axis), PRIORITY_TAG: "-1" if history else "1"},
    )


def busy(instance: DagsterInstance, client: str, axis: Axis) -> bool:
    """Whether a run of this client and axis is queued or running: its days may still be on their way.

    Runs and backfills that a person started carry no tags of ours; they are known by their assets.
    """
    filters = RunsFilter(tags={CLIENT_TAG: client, AXIS_TAG: str(axis)}, statuses=_UNFINISHED)
    if instance.get_run_records(filters, limit=1):
        return True
    keys = set(delivery_keys(client) if axis is Axis.DELIVERIES else event_day_keys(client))
    unfinished = instance.get_run_records(RunsFilter(statuses=_UNFINISHED), limit=_MOST_UNFINISHED)
    by_hand = (item.dagster_run for item in unfinished if AXIS_TAG not in item.dagster_run.tags)
    return any(
        run.asset_selection is not None and not keys.isdisjoint(run.asset_selection) for run in by_hand
    )


def resting(instance: DagsterInstance, client: str, axis: Axis, *, now: datetime | None = None) -> bool:
    """Whether recent runs failed and the next attempt must wait: one minute, then twice as long each time."""
    present = now or datetime.now(UTC)
    filters = RunsFilter(
        tags={CLIENT_TAG: client, AXIS_TAG: str(axis)},
        created_after=present - timedelta(hours=6),
    )
    failed: list[datetime] = []
    for record in instance.get_run_records(filters, limit=10):
        if record.dagster_run.status is not DagsterRunStatus.FAILURE:
            break
        failed.append(record.create_timestamp)
    if not failed:
        return False
    return present < max(failed) + timedelta(minutes=2 ** (len(failed) - 1))
