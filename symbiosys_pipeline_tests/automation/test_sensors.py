"""What the sensors request, evaluated against a real instance on SQLite; no run is started here."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from symbiosys_pipeline.assets.keys import SCOPE_STALE, SCOPE_TAG, delivery_keys, event_day_keys
from symbiosys_pipeline.automation.delivery_sensor import build_delivery_sensor
from symbiosys_pipeline.automation.reconciler import reconciler
from symbiosys_pipeline.automation.requests import (
    RANGE_END_TAG,
    RANGE_START_TAG,
    Axis,
    DayRange,
    busy,
    ranges_of,
    resting,
)
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.errors import SourceError
from symbiosys_pipeline.steps.deliver import deliver
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline.steps.reconcile import MAX_ATTEMPTS, LedgerView
from symbiosys_pipeline.storage.ledger_tables import Layer
from symbiosys_pipeline_tests.assets.shops import Shop, order, view


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as instance:
        yield instance


@pytest.fixture
def shop(tmp_path: Path, instance: dg.DagsterInstance) -> Shop:
    return Shop.open(tmp_path, instance)


def evaluate(shop: Shop, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
    """What one tick requests."""
    context = dg.build_sensor_context(
        instance=shop.instance, resources={"deployment": shop.deployment}, definitions=shop.definitions
    )
    outcome = sensor(context)
    if isinstance(outcome, dg.SkipReason):
        return []
    assert isinstance(outcome, dg.SensorResult)
    return list(outcome.run_requests or ())


def look(shop: Shop) -> list[dg.RunRequest]:
    """A tick of the client's delivery sensor."""
    return evaluate(shop, build_delivery_sensor(shop.profile))


def land(shop: Shop) -> None:
    """Land and read everything, without a run."""
    for dataset in Dataset:
        discover(shop.deployment, shop.profile, dataset)
        for delivery in shop.deployment.ledger.deliveries.current(shop.client, dataset):
            deliver(shop.deployment, shop.profile, delivery)


def days_of(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    return [(request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) for request in requests]


def test_new_deliveries_are_requested_in_contiguous_ranges(shop: Shop) -> None:
    assert look(shop) == []
    for day in (1, 2, 3, 7):
        shop.views(day, [view(day, "10:00", "v1")])
    shop.orders(4, [order(4, "10:00", "v1", "o1")])
    requests = look(shop)
    assert days_of(requests) == [("2026-01-01", "2026-01-04"), ("2026-01-07", "2026-01-07")]
    for request in requests:
        assert request.run_key is None, "a run key would suppress the range for ever after a failure"
        assert request.tags[SCOPE_TAG] == SCOPE_STALE
        assert set(request.asset_selection or ()) == set(delivery_keys("acme"))
    land(shop)
    assert look(shop) == []

    shop.views(2, [view(2, "10:00", "v1"), view(2, "11:00", "v1")])
    assert days_of(look(shop)) == [("2026-01-02", "2026-01-02")]


def test_a_file_with_another_name_or_no_day_in_it_is_left_alone(shop: Shop) -> None:
    folder = shop.settings.home / "source" / "acme"
    (folder / "visits_20260132.csv").write_text("x")
    (folder / "something_else.csv").write_text("x")
    assert look(shop) == []


@pytest.mark.parametrize(
    "status",
    [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED],
    ids=str,
)
def test_nothing_is_requested_twice_while_a_run_is_on_its_way(
    shop: Shop, status: dg.DagsterRunStatus
) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    (request,) = look(shop)
    job = shop.definitions.resolve_implicit_global_asset_job_def()
    run = shop.instance.create_run_for_job(job, tags=dict(request.tags), status=status)
    assert look(shop) == []
    assert not busy(shop.instance, "acme", Axis.EVENT_DAYS)
    assert not busy(shop.instance, "another", Axis.DELIVERIES)
    shop.instance.delete_run(run.run_id)
    assert days_of(look(shop)) == [("2026-01-01", "2026-01-01")]


def test_a_person_s_backfill_is_on_its_way_too(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    land(shop)
    assert days_of(evaluate(shop, reconciler)) == [("2026-01-01", "2026-01-01")]
    job = shop.definitions.resolve_implicit_global_asset_job_def()
    shop.instance.create_run_for_job(
        job,
        tags={"dagster/backfill": "abc"},
        status=dg.DagsterRunStatus.STARTED,
        asset_selection=frozenset(event_day_keys("acme")),
    )
    assert evaluate(shop, reconciler) == []
    assert not busy(shop.instance, "acme", Axis.DELIVERIES)


def test_after_failures_it_waits_twice_as_long_each_time(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    (request,) = look(shop)
    job = shop.definitions.resolve_implicit_global_asset_job_def()
    failed: list[datetime] = []
    for _ in range(3):
        run = shop.instance.create_run_for_job(
            job, tags=dict(request.tags), status=dg.DagsterRunStatus.FAILURE
        )
        record = shop.instance.get_run_record_by_id(run.run_id)
        assert record is not None
        failed.append(record.create_timestamp)
        assert look(shop) == []
        wait = timedelta(minutes=2 ** (len(failed) - 1))
        for late, expected in ((timedelta(seconds=-1), True), (timedelta(seconds=1), False)):
            now = failed[-1] + wait + late
            assert resting(shop.instance, "acme", Axis.DELIVERIES, now=now) is expected
    shop.instance.create_run_for_job(job, tags=dict(request.tags), status=dg.DagsterRunStatus.SUCCESS)
    assert not resting(shop.instance, "acme", Axis.DELIVERIES)
    assert days_of(look(shop)) == [("2026-01-01", "2026-01-01")]


def test_the_reconciler_requests_stale_event_days_newest_first(shop: Shop) -> None:
    assert evaluate(shop, reconciler) == []
    for day in (1, 2, 6):
        shop.views(day, [view(day, "10:00", "v1")])
    land(shop)
    requests = evaluate(shop, reconciler)
    assert days_of(requests) == [("2026-01-06", "2026-01-06"), ("2026-01-01", "2026-01-02")]
    assert set(requests[0].asset_selection or ()) == set(event_day_keys("acme"))


def test_recent_days_have_priority_over_history(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    assert [request.tags["dagster/priority"] for request in look(shop)] == ["-1"]
    today = datetime.now(UTC).date()
    folder = shop.settings.home / "source" / "acme"
    (folder / f"visits_{today:%Y%m%d}.csv").write_bytes((folder / "visits_20260101.csv").read_bytes())
    assert [request.tags["dagster/priority"] for request in look(shop)] == ["-1", "1"]


def test_a_day_that_cannot_be_built_is_tried_five_times_and_then_left_to_a_person(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    land(shop)
    day = date(2026, 1, 1)
    wanted = LedgerView.of(shop.deployment, shop.profile).wanted(Dataset.PAGE_VIEWS, day)
    assert wanted is not None
    publications = shop.deployment.ledger.publications
    for attempt in range(1, MAX_ATTEMPTS + 1):
        publications.record_failure("acme", Layer.STAGED_PAGE_VIEWS, day, wanted, "disk full")
        assert evaluate(shop, reconciler) == []
        (stale,) = LedgerView.of(shop.deployment, shop.profile).stale_days()
        assert stale.attempts == attempt
        assert stale.last_attempt is not None
        later = stale.last_attempt + timedelta(minutes=2 ** (attempt - 1))
        assert stale.due(later) is (attempt < MAX_ATTEMPTS)
        assert not stale.due(later - timedelta(seconds=1))
    # A new version of the day is a new attempt.
    shop.views(1, [view(1, "10:00", "v1"), view(1, "11:00", "v1")])
    land(shop)
    assert days_of(evaluate(shop, reconciler)) == [("2026-01-01", "2026-01-01")]


def test_clients_take_turns(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shops = [Shop.open(tmp_path, instance, client=client) for client in ("one", "two")]
    for day in range(1, 28, 2):
        shops[0].views(day, [view(day, "10:00", "v1")])
    shops[1].views(5, [view(5, "10:00", "v1")])
    for shop in shops:
        land(shop)
    requests = evaluate(shops[0], reconciler)
    assert [request.tags["symbiosys/client"] for request in requests] == ["one", "two"] + ["one"] * 13


def test_a_broken_source_stops_its_own_client_only(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    broken, sound = (Shop.open(tmp_path, instance, client=client) for client in ("broken", "sound"))
    for shop in (broken, sound):
        shop.views(1, [view(1, "10:00", "v1")])
    land(broken)
    shutil.rmtree(tmp_path / "source" / "broken")
    with pytest.raises(SourceError, match="broken"):
        look(broken)
    assert days_of(look(sound)) == [("2026-01-01", "2026-01-01")]
    requests = evaluate(sound, reconciler)
    assert [request.tags["symbiosys/client"] for request in requests] == ["broken"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([3, 1, 2, 2], [(1, 3)], id="unordered-and-repeated"),
        pytest.param([1, 3, 4, 9], [(1, 1), (3, 4), (9, 9)], id="gaps"),
        pytest.param([1, 2, 3, 4, 5], [(1, 2), (3, 4), (5, 5)], id="longer-than-a-run"),
    ],
)
def test_days_become_ranges(days: list[int], expected: list[tuple[int, int]]) -> None:
    ranges = ranges_of((date(2026, 1, day) for day in days), longest=2 if days == [1, 2, 3, 4, 5] else 31)
    assert ranges == [DayRange(date(2026, 1, first), date(2026, 1, last)) for first, last in expected]
