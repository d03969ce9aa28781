"""The sensors' work in this process: land what is new, rebuild what is stale, until nothing is.

It runs the same assets on the same Dagster instance, so that the UI shows what was done.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg
from dagster import DagsterInstance

from symbiosys_pipeline.assets.keys import SCOPE_TAG, delivery_keys, event_day_keys
from symbiosys_pipeline.automation.requests import Axis, DayRange, ranges_of
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import SymbiosysError
from symbiosys_pipeline.steps.discover import Discovery, discover
from symbiosys_pipeline.steps.pending import pending_delivery_days
from symbiosys_pipeline.steps.reconcile import LedgerView, StaleDay, days_to_rebuild
from symbiosys_pipeline.storage.ledger_tables import Delivery, Layer, Publication

#: A day that is stale again after this many rebuilds in one call is reported, not chased for ever.
_MAX_PASSES = 5

#: The run's log goes to the instance; only what went wrong belongs on the terminal too.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class ClientRun:
    """What one call did for one client.

    Attributes:
        client: The client.
        observed: Generations seen for the first time, or again.
        ignored: Objects left alone, by reason.
        ignored_examples: A few of their names, by reason.
        read: Deliveries that were landed and read, or refused.
        rebuilt: Event days whose staged or published version changed, with the reason.
        rejected: Event days that keep their version because a check failed.
        still_stale: Days that are not what they should be yet.
        errors: What went wrong, in words.
    """

    client: str
    observed: list[Delivery] = field(default_factory=list[Delivery])
    ignored: dict[str, int] = field(default_factory=dict[str, int])
    ignored_examples: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    read: list[Delivery] = field(default_factory=list[Delivery])
    rebuilt: dict[date, str] = field(default_factory=dict[date, str])
    rejected: dict[date, list[str]] = field(default_factory=dict[date, list[str]])
    still_stale: list[StaleDay] = field(default_factory=list[StaleDay])
    errors: list[str] = field(default_factory=list[str])


Progress = Callable[[str, str], None]


def run_clients(
    deployment: Deployment,
    definitions: dg.Definitions,
    instance: DagsterInstance,
    profiles: Sequence[ClientProfile],
    *,
    progress: Progress = lambda client, text: None,
) -> list[ClientRun]:
    """Bring every given client up to date; one client's failure never stops another.

    Args:
        deployment: Lake and ledger.
        definitions: The definitions that hold the clients' assets.
        instance: Where runs, materializations and check results are recorded.
        profiles: The clients.
        progress: Told the client and what happens now.
    """
    deployment.lake.remove_abandoned_scratch()
    return [_run_client(deployment, definitions, instance, profile, progress) for profile in profiles]


def _run_client(
    deployment: Deployment,
    definitions: dg.Definitions,
    instance: DagsterInstance,
    profile: ClientProfile,
    progress: Progress,
) -> ClientRun:
    run = ClientRun(profile.client)
    progress(profile.client, "looking for deliveries")
    for dataset in Dataset:
        try:
            _note_discovery(run, discover(deployment, profile, dataset))
        except (SymbiosysError, OSError) as error:
            run.errors.append(f"{dataset}: {error}")
    waiting = _waiting(deployment, profile)
    before = deployment.ledger.publications.of_client(profile.client)
    for part in ranges_of(pending_delivery_days(deployment, profile)):
        progress(profile.client, f"reading deliveries of {_words(part)}")
        _execute(definitions, instance, run, Axis.DELIVERIES, part)
    known = deployment.ledger.deliveries
    run.read = [
        item for key in waiting if (item := known.get(key)) and item.state not in {"discovered", "landed"}
    ]
    for _ in range(_MAX_PASSES):
        view = LedgerView.of(deployment, profile)
        if not view.stale_days():
            break
        for part in ranges_of(days_to_rebuild(view)):
            progress(profile.client, f"rebuilding {_words(part)}")
            _execute(definitions, instance, run, Axis.EVENT_DAYS, part)
        if run.errors:
            break
    _note_outcome(run, LedgerView.of(deployment, profile), before)
    return run


def _note_discovery(run: ClientRun, found: Discovery) -> None:
    run.observed += found.observed
    for reason, (count, examples) in found.ignored.items():
        run.ignored[reason] = run.ignored.get(reason, 0) + count
        run.ignored_examples.setdefault(reason, examples)


def _waiting(deployment: Deployment, profile: ClientProfile) -> list[str]:
    days = pending_delivery_days(deployment, profile)
    return [
        delivery.delivery_id
        for dataset in Dataset
        for delivery in deployment.ledger.deliveries.current(profile.client, dataset)
        if delivery.delivery_day in days
    ]


def read_again(
    definitions: dg.Definitions, instance: DagsterInstance, profile: ClientProfile, days: Iterable[date]
) -> list[str]:
    """Land and read everything of some delivery days anew; what failed, in words."""
    run = ClientRun(profile.client)
    for part in ranges_of(days):
        _execute(definitions, instance, run, Axis.DELIVERIES, part, again=True)
    return run.errors


def _execute(
    definitions: dg.Definitions,
    instance: DagsterInstance,
    run: ClientRun,
    axis: Axis,
    days: DayRange,
    *,
    again: bool = False,
) -> None:
    keys = delivery_keys(run.client) if axis is Axis.DELIVERIES else event_day_keys(run.client)
    tags = days.tags(run.client, axis)
    if again:
        tags.pop(SCOPE_TAG)
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=keys,
        tags=tags,
        run_config=_QUIET,
        raise_on_error=False,
    )
    for event in result.filter_events(lambda event: event.is_step_failure):
        error = event.step_failure_data.error
        cause = error.cause if error is not None and error.cause is not None else error
        run.errors.append(cause.message.strip() if cause else f"{axis} {_words(days)} failed")


def _note_outcome(run: ClientRun, view: LedgerView, before: dict[tuple[Layer, date], Publication]) -> None:
    for (layer, day), item in sorted(view.publications.items(), key=lambda pair: (pair[0][1], pair[0][0])):
        earlier = before.get((layer, day))
        if earlier is None or item.revision != earlier.revision:
            run.rebuilt[day] = f"{run.rebuilt[day]}; " if day in run.rebuilt else ""
            run.rebuilt[day] += f"{layer}: {item.reason}"
    for day in view.days():
        if failed := view.rejected(day):
            run.rejected[day] = [f"{item.dataset}" for item in failed]
    run.still_stale = view.stale_days()


def _words(days: DayRange) -> str:
    return str(days.first) if days.first == days.last else f"{days.first} to {days.last}"
