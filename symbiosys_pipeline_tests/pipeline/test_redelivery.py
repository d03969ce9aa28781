"""A file that arrives again: only what it changes is rebuilt, and the newest readable version counts."""

from pathlib import Path

import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, Table
from symbiosys_pipeline.errors import DeliveryError
from symbiosys_pipeline.steps.deliver import deliver
from symbiosys_pipeline.storage.ledger_tables import DeliveryState, Layer
from symbiosys_pipeline_tests.pipeline.clients import (
    D1,
    D2,
    D3,
    VISITS_HEADER,
    RunningClient,
    assert_same_tables,
    csv_bytes,
    order,
    view,
    visits_key,
    written,
)

V1_NOON = view("2026-03-02T12:00:00Z", "v1", "a")
V2_LATE = view("2026-03-02T23:50:00Z", "v2", "b")
D1_VIEWS = (V1_NOON, V2_LATE)
D2_VIEWS = (view("2026-03-03T00:10:00Z", "v2", "c"), view("2026-03-03T12:00:00Z", "v1", "d"))
D3_VIEWS = (view("2026-03-04T09:00:00Z", "v1", "e"),)


@pytest.fixture
def client(tmp_path: Path) -> RunningClient:
    """Three published days; v2's session of the first goes on after midnight."""
    client = RunningClient(tmp_path, written())
    client.put_views(D1, *D1_VIEWS)
    client.put_views(D2, *D2_VIEWS)
    client.put_views(D3, *D3_VIEWS)
    client.put_orders(D1, order("o1", "2026-03-02T12:05:00Z", "v1"))
    client.put_orders(D2, order("o2", "2026-03-03T12:05:00Z", "v1", "20.00"))
    assert client.run().changed == (D1, D2, D3)
    return client


def pages(client: RunningClient) -> list[tuple[str, str]]:
    """Visitor and page of every published view, in the published order."""
    rows = client.table(Table.PAGE_VIEWS).select("visitor_id", "page_url").rows()
    return [(visitor, url.removeprefix("https://acme.example/")) for visitor, url in rows]


ALL_PAGES = [("v1", "a"), ("v2", "b"), ("v2", "c"), ("v1", "d"), ("v1", "e")]


def test_the_first_delivery_publishes_every_row_once(client: RunningClient) -> None:
    assert pages(client) == ALL_PAGES
    sessions = client.partition(Table.SESSIONS, D2).sort("visitor_id")
    assert sessions["visitor_id"].to_list() == ["v1", "v2"]
    assert sessions["continues_previous_day"].to_list() == [False, True]
    assert sessions["landing_url"].to_list() == ["https://acme.example/d", "https://acme.example/b"]


def test_identical_bytes_rebuild_no_day_and_are_not_read_twice(client: RunningClient) -> None:
    before = client.files("staging", "events", "standardized", "publications")
    client.put_views(D1, *D1_VIEWS)
    ran = client.run()
    assert [(item.source_key, item.state) for item in ran.read] == [
        (visits_key(D1), DeliveryState.STANDARDIZED)
    ]
    assert ran.read[0].content_of is not None
    assert ran.visited == 0
    assert client.files("staging", "events", "standardized", "publications") == before


def test_one_changed_row_rebuilds_its_day_only(client: RunningClient) -> None:
    before = client.files()
    revision = client.publication(Layer.EVENTS, D2).revision
    client.put_views(D1, view("2026-03-02T12:00:00Z", "v1", "z"), V2_LATE)
    assert client.run().changed == (D1,)
    after = client.files()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {key for key in before if f"event_day={D1}" in key}
    assert client.publication(Layer.EVENTS, D2).revision == revision
    assert pages(client) == [("v1", "z"), *ALL_PAGES[1:]]


def test_a_correction_leaves_the_other_days_of_its_file_as_they_are(client: RunningClient) -> None:
    late = view("2026-03-02T18:00:00Z", "v7", "late")
    client.put_views(D2, D2_VIEWS[0], late, D2_VIEWS[1])
    client.run()
    before = client.files()
    client.put_views(D2, D2_VIEWS[0], late, view("2026-03-03T12:00:00Z", "v1", "z"))
    assert client.run().changed == (D2,)
    after = client.files()
    assert {key for key in after if after[key] != before[key]} == {
        key for key in before if f"event_day={D2}" in key
    }
    assert ("v7", "late") in pages(client)
    assert ("v1", "z") in pages(client)


def test_a_changed_session_over_midnight_rebuilds_the_next_day_too_and_no_further(
    client: RunningClient,
) -> None:
    staged = client.publication(Layer.STAGED_PAGE_VIEWS, D2)
    client.put_views(D1, V1_NOON, view("2026-03-02T23:50:00Z", "v2", "z"))
    ran = client.run()
    assert ran.changed == (D1, D2)
    assert ran.results[D2].published.reason == "a session of the day before reaches over midnight and changed"
    assert client.publication(Layer.STAGED_PAGE_VIEWS, D2) == staged
    landed = client.partition(Table.SESSIONS, D2).filter(visitor_id="v2")["landing_url"].to_list()
    assert landed == ["https://acme.example/z"]


@pytest.mark.parametrize("same_time", [True, False], ids=["the very same mtime", "a new mtime"])
def test_a_restored_version_gives_the_first_result_byte_for_byte(tmp_path: Path, same_time: bool) -> None:
    client = RunningClient(tmp_path, written())
    client.put_views(D2, *D2_VIEWS)
    first = client.put_views(D1, *D1_VIEWS)
    client.run()
    before = client.files("staging", "events")
    client.put_views(D1, V1_NOON)
    assert client.run().changed == (D1, D2)
    assert client.files("staging", "events") != before
    client.put(visits_key(D1), csv_bytes(VISITS_HEADER, D1_VIEWS), modified=first if same_time else None)
    assert client.run().changed == (D1, D2)
    assert client.files("staging", "events") == before
    deliveries = client.deployment.ledger.deliveries.of_client("acme", Dataset.PAGE_VIEWS)
    assert len(deliveries) == (3 if same_time else 4)


def test_a_version_without_a_day_empties_that_day(client: RunningClient) -> None:
    late = view("2026-03-01T08:00:00Z", "v9", "late")
    client.put_views(D1, *D1_VIEWS, late)
    client.run()
    before_d1 = D1.replace(day=1)
    assert client.partition(Table.PAGE_VIEWS, before_d1)["visitor_id"].to_list() == ["v9"]
    client.put_views(D1, *D1_VIEWS)
    assert client.run().changed == (before_d1,)
    for table in EVENT_TABLES:
        emptied, kept = client.partition(table, before_d1), client.partition(table, D1)
        assert emptied.height == 0
        assert emptied.schema == kept.schema
    assert pages(client) == ALL_PAGES


def test_a_file_that_grew_is_replaced(client: RunningClient, tmp_path: Path) -> None:
    whole = csv_bytes(VISITS_HEADER, (*D3_VIEWS, view("2026-03-04T10:00:00Z", "v3", "f")))
    half = RunningClient(tmp_path / "half", written())
    for path in sorted(client.source.rglob("*.csv")):
        half.put(str(path.relative_to(client.source)), path.read_bytes())
    half.put(visits_key(D3), whole[: whole.index(b"v3") + 1])
    ran = half.run()
    (cut,) = [item for item in ran.read if item.source_key == visits_key(D3)]
    assert (cut.rows_received, cut.rows_valid, cut.rows_quarantined) == (2, 1, 1)
    client.put(visits_key(D3), whole)
    half.put(visits_key(D3), whole)
    assert half.run().changed == (D3,)
    client.run()
    assert_same_tables(half, client)
    assert pages(half) == [*ALL_PAGES, ("v3", "f")]


def test_a_row_that_moved_to_another_day_leaves_the_first(client: RunningClient) -> None:
    client.put_views(D2, D2_VIEWS[0], view("2026-03-02T12:30:00Z", "v1", "d"))
    assert client.run().changed == (D1, D2)
    moved = [("v1", "a"), ("v1", "d"), ("v2", "b"), ("v2", "c"), ("v1", "e")]
    assert pages(client) == moved
    assert client.partition(Table.PAGE_VIEWS, D2).height == 1


RENAMED = ("event_ts", "visitr_id", "page_url")


def test_a_refused_correction_supersedes_nothing_and_waits_for_the_profile(client: RunningClient) -> None:
    before = client.files()
    client.put_views(D1, view("2026-03-02T12:00:00Z", "v1", "corrected"), header=RENAMED)
    ran = client.run()
    (refused,) = ran.read
    assert (refused.state, refused.reason_code) == (DeliveryState.REFUSED, "missing_column")
    assert refused.reason is not None
    assert "required field visitor_id" in refused.reason
    assert "nearest header is 'visitr_id'" in refused.reason
    assert ran.visited == 0
    assert client.files() == before
    assert client.run().read == ()

    attributes = written()
    attributes["page_views"]["sources"][0]["mapping"] = {"visitor_id": "visitr_id"}
    client.profile = ClientProfile.model_validate(attributes)
    ran = client.run()
    assert [item.delivery_id for item in ran.read] == [refused.delivery_id]
    assert ran.changed == (D1, D2)
    assert pages(client) == [("v1", "corrected"), *ALL_PAGES[2:]]


def test_a_file_sent_again_under_a_profile_that_cannot_read_it_supersedes_nothing(
    client: RunningClient,
) -> None:
    before = client.files()
    broken = written()
    broken["page_views"]["sources"][0]["mapping"] = {"visitor_id": "visitr_id"}
    client.profile = ClientProfile.model_validate(broken)
    client.put_views(D1, *D1_VIEWS)
    ran = client.run()
    assert [item.state for item in ran.read] == [DeliveryState.REFUSED]
    assert ran.visited == 0
    assert client.files() == before
    client.profile = ClientProfile.model_validate(written())
    ran = client.run()
    assert [item.state for item in ran.read] == [DeliveryState.STANDARDIZED]
    assert ran.visited == 0
    assert client.files() == before


def test_reading_everything_again_under_a_profile_that_cannot_read_it_takes_nothing_away(
    client: RunningClient,
) -> None:
    before = client.files()
    broken = written()
    broken["page_views"]["sources"][0]["mapping"] = {"visitor_id": "visitr_id"}
    client.profile = ClientProfile.model_validate(broken)
    ledger = client.deployment.ledger.deliveries
    for delivery in ledger.current("acme", Dataset.PAGE_VIEWS):
        with pytest.raises(DeliveryError, match=r"visitor_id.*stays as it is"):
            deliver(client.deployment, client.profile, delivery, again=True)
    assert {item.state for item in ledger.current("acme", Dataset.PAGE_VIEWS)} == {DeliveryState.STANDARDIZED}
    client.profile = ClientProfile.model_validate(written())
    assert client.run().visited == 0
    assert client.files() == before


def test_a_header_without_rows_is_a_version_without_rows(client: RunningClient) -> None:
    client.put_views(D1)
    ran = client.run()
    assert [(item.state, item.rows_received) for item in ran.read] == [(DeliveryState.STANDARDIZED, 0)]
    assert ran.changed == (D1, D2)
    assert pages(client) == ALL_PAGES[2:]
    assert client.partition(Table.ORDERS, D1)["order_id"].to_list() == ["o1"]


def test_an_empty_file_is_refused_and_supersedes_nothing(client: RunningClient) -> None:
    before = client.files()
    client.put(visits_key(D1), b"")
    ran = client.run()
    assert [(item.state, item.reason_code) for item in ran.read] == [(DeliveryState.REFUSED, "empty_file")]
    assert ran.visited == 0
    assert client.files() == before
