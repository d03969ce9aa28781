"""The ledger is an index: lost, it is restored from the records that lie beside the data."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import LakeError
from symbiosys_pipeline.steps.restore import restore_ledger
from symbiosys_pipeline.storage.ledger_tables import METADATA, DeliveryState
from symbiosys_pipeline_tests.pipeline.clients import D1, D2, RunningClient, order, view, written

NOON = view("2026-03-02T12:00:00Z", "v1", "a")
LATE = view("2026-03-02T23:50:00Z", "v2", "b")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> RunningClient:
    """A client with all a ledger may hold: corrected, restored, repeated, refused files."""
    client = RunningClient(tmp_path_factory.mktemp("history"), written())
    client.put_views(D2, view("2026-03-03T00:10:00Z", "v2", "c"), ("no time", "v3", "https://acme.example/"))
    client.put_orders(D1, order("o1", "2026-03-02T12:05:00Z", "v1"))
    client.put_views(D1, NOON, LATE)
    client.run()
    client.put_views(D1, LATE)
    client.run()
    client.put_views(D1, NOON, LATE)
    client.run()
    # Reaches nothing of the next day: that one is only confirmed.
    client.put_views(D1, view("2026-03-02T12:00:00Z", "v1", "z"), LATE)
    client.run()
    client.put_orders(D1, order("o1", "2026-03-02T12:05:00Z", "v1"))
    client.put_views(D2, view("2026-03-03T00:10:00Z", "v2", "never"), header=("event_ts", "who", "page_url"))
    client.run()
    return client


def ledger_rows(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    with deployment.ledger.reading() as connection:
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(sa.select(table)).mappings()), key=repr
            )
            for table in METADATA.sorted_tables
        }


def without_ledger(client: RunningClient) -> None:
    client.deployment.ledger.close()
    for path in client.home.glob("ledger.sqlite*"):
        path.unlink()
    client.deployment = Deployment.open(client.deployment.settings)


def test_a_lost_ledger_is_restored_whole_and_the_next_run_rebuilds_nothing(history: RunningClient) -> None:
    before, view_before = ledger_rows(history.deployment), history.ledger_view()
    files = history.files("staging", "events", "publications", "verdicts")
    states = [row["state"] for row in before["deliveries"]]
    assert sorted(states) == [DeliveryState.REFUSED] + [DeliveryState.STANDARDIZED] * 7
    without_ledger(history)
    assert history.ledger_view().days() == []
    restored = restore_ledger(history.deployment)
    assert (restored.deliveries, restored.slices, restored.verdicts, restored.publications) == tuple(
        len(before[table]) for table in ("deliveries", "slices", "verdicts", "publications")
    )
    view_after = history.ledger_view()
    assert view_after.live == view_before.live
    for dataset in Dataset:
        for day in view_before.days():
            assert view_after.wanted(dataset, day) == view_before.wanted(dataset, day)
    assert view_after.verdicts == view_before.verdicts
    assert view_after.publications == view_before.publications
    assert ledger_rows(history.deployment) == before
    ran = history.run()
    assert (ran.read, ran.visited) == ((), 0)
    assert history.files("staging", "events", "publications", "verdicts") == files


def test_restoring_a_ledger_that_is_there_changes_nothing(history: RunningClient) -> None:
    before = ledger_rows(history.deployment)
    restore_ledger(history.deployment)
    assert ledger_rows(history.deployment) == before


@pytest.mark.parametrize("garbage", [b"\x00garbage", b"[]", b"{}", b'{"delivery": 1, "slices": 2}', b""])
@pytest.mark.parametrize(
    ("folder", "name"), [("landing", "delivery.json"), ("verdicts", "*.json"), ("publications", "*.json")]
)
def test_a_garbage_record_is_a_clear_error_and_leaves_the_ledger(
    history: RunningClient, folder: str, name: str, garbage: bytes
) -> None:
    before = ledger_rows(history.deployment)
    key = next(history.deployment.lake.list(folder, name))
    path = Path(history.deployment.lake.uri(key))
    sound = path.read_bytes()
    try:
        path.write_bytes(garbage)
        with pytest.raises(LakeError, match=f"^{key} is no "):
            restore_ledger(history.deployment)
    finally:
        path.write_bytes(sound)
    assert ledger_rows(history.deployment) == before
