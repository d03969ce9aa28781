"""A run over event days: what it records per day, what it leaves alone, what its checks say."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from symbiosys_pipeline.assets.keys import events_key, staging_key
from symbiosys_pipeline.automation.requests import Axis
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, Table
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.quality.verdict import Severity
from symbiosys_pipeline_tests.assets.shops import (
    EMAIL_HASH,
    Shop,
    evaluations,
    metadata_of,
    order,
    recorded,
    view,
)

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]
EVERY_TABLE = ["staging/page_views", "staging/orders", *(f"events/{table}" for table in EVENT_TABLES)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        yield Shop.open(tmp_path, instance)


def _deliver_three_days(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1"), view(1, "10:05", "v1", "/p"), view(1, "11:00", "v2")])
    # The second day's file repeats a row, and holds one that is a day late.
    shop.views(2, [view(2, "10:00", "v1"), view(2, "10:00", "v1"), view(1, "23:00", "v3")])
    shop.views(3, [view(3, "10:00", "v4"), view(3, "10:01", "v4", "/p")])
    shop.orders(1, [order(1, "10:06", "v1", "o1"), order(1, "11:06", "v2", "o2", "0.35", 3)])
    shop.orders(2, [order(2, "10:06", "v1", "o3")])
    shop.orders(3, [order(3, "10:06", "v4", "o4")])
    assert shop.run(Axis.DELIVERIES, 1, 3).success


def test_a_ranged_run_records_every_rebuilt_day_and_no_other(shop: Shop) -> None:
    _deliver_three_days(shop)
    first = shop.run(Axis.EVENT_DAYS, 1, 4)
    assert first.success
    # The fourth day is selected too, but nothing was ever delivered for it.
    assert recorded(first) == dict.fromkeys(EVERY_TABLE, DAYS)

    shop.views(2, [view(2, "10:00", "v1"), view(2, "12:00", "v5"), view(1, "23:00", "v3")])
    delivered = shop.run(Axis.DELIVERIES, 1, 3)
    layers = [f"{layer}/page_views" for layer in ("landing", "standardized", "quarantine")]
    assert recorded(delivered) == {name: ["2026-01-02"] for name in layers}

    again = shop.run(Axis.EVENT_DAYS, 1, 4)
    # The late row of the first day is the same as before, and the third day reads nothing of the second.
    assert recorded(again)["events/page_views"] == [DAYS[1]]
    assert recorded(again)["staging/page_views"] == [DAYS[1]]
    assert "staging/orders" not in recorded(again)
    assert recorded(shop.run(Axis.EVENT_DAYS, 1, 4)) == {}


def test_a_person_s_run_rebuilds_everything_where_a_sensor_s_run_does_what_is_stale(shop: Shop) -> None:
    _deliver_three_days(shop)
    shop.run(Axis.EVENT_DAYS, 1, 3)
    assert recorded(shop.run(Axis.EVENT_DAYS, 1, 3)) == {}
    deliberate = shop.run(Axis.EVENT_DAYS, 2, 3, everything=True)
    assert recorded(deliberate) == dict.fromkeys(EVERY_TABLE, DAYS[1:])
    metadata = metadata_of(shop, events_key("acme", Table.ORDERS), DAYS[1])
    assert metadata["why_rebuilt"] == "rebuilt on demand"


def test_the_metadata_of_a_day_are_its_figures_and_its_reason(shop: Shop) -> None:
    _deliver_three_days(shop)
    shop.run(Axis.EVENT_DAYS, 1, 3)

    staged = metadata_of(shop, staging_key("acme", Dataset.PAGE_VIEWS), DAYS[0])
    figures = ("dagster/row_count", "rows_received", "duplicates", "quarantined", "superseded", "deliveries")
    assert [staged[name] for name in figures] == [4, 4, 0, 0, 0, 2]
    assert staged["why_rebuilt"] == "rows from visits_20260101.csv, visits_20260102.csv"
    assert staged["verdict"] == "accepted"
    second = metadata_of(shop, staging_key("acme", Dataset.PAGE_VIEWS), DAYS[1])
    assert [second[name] for name in figures] == [1, 2, 1, 0, 0, 1]

    rows = {
        table: metadata_of(shop, events_key("acme", table), DAYS[0])["dagster/row_count"]
        for table in EVENT_TABLES
    }
    assert rows == {Table.PAGE_VIEWS: 4, Table.ORDERS: 2, Table.ORDER_LINES: 2, Table.SESSIONS: 3}
    orders = metadata_of(shop, events_key("acme", Table.ORDERS), DAYS[0])
    assert orders["why_rebuilt"] == "first publication"
    # 2 x 10.00 + 3 x 0.35
    assert Decimal(str(orders["revenue_EUR"])) == Decimal("21.05")
    assert Path(str(orders["path"])).is_file()


def test_nothing_shown_in_the_ui_is_personal(shop: Shop) -> None:
    _deliver_three_days(shop)
    shop.run(Axis.EVENT_DAYS, 1, 3)
    for table in EVENT_TABLES:
        metadata = metadata_of(shop, events_key("acme", table), DAYS[0])
        preview = str(metadata["preview"])
        shown = "2026-01-01 10:00" if table in {Table.PAGE_VIEWS, Table.SESSIONS} else "10.0000"
        assert shown in preview or "20.0000" in preview
        assert not any(word in str(metadata) for word in (EMAIL_HASH, "v1", "v2", "https://"))


def test_every_check_of_a_ranged_run_says_something_about_every_day_of_its_run(shop: Shop) -> None:
    _deliver_three_days(shop)
    result = shop.run(Axis.EVENT_DAYS, 1, 4)
    for dataset in Dataset:
        for rule in rules_for(dataset):
            found = evaluations(shop, staging_key("acme", dataset), rule.id)
            assert sorted(str(item.partition) for item in found) == [*DAYS, "2026-01-04"], rule.id
    history = shop.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(staging_key("acme", Dataset.ORDERS), "books_balance"), limit=50
    )
    assert {record.run_id for record in history} == {result.run_id}


def test_a_failed_critical_rule_keeps_the_published_day_and_says_why(shop: Shop) -> None:
    _deliver_three_days(shop)
    shop.run(Axis.EVENT_DAYS, 1, 3)
    published = metadata_of(shop, events_key("acme", Table.PAGE_VIEWS), DAYS[1])

    shop.views(2, [view(2, "10:00", "v1"), view(2, "12:00", ""), view(2, "12:01", "")])
    shop.run(Axis.DELIVERIES, 2, 2)
    result = shop.run(Axis.EVENT_DAYS, 1, 3)
    assert result.success, "a rejected day is a finding about the data, not a failure of the run"
    days = recorded(result)
    assert days["staging/page_views"] == DAYS[:2]
    assert "2026-01-02" not in days.get("events/page_views", [])
    assert metadata_of(shop, events_key("acme", Table.PAGE_VIEWS), DAYS[1]) == published
    assert metadata_of(shop, staging_key("acme", Dataset.PAGE_VIEWS), DAYS[1])["verdict"] == "rejected"

    newest = {
        str(item.partition): item
        for item in reversed(
            evaluations(shop, staging_key("acme", Dataset.PAGE_VIEWS), "completeness_visitor_id")
        )
    }
    assert {day: item.passed for day, item in newest.items()} == {
        DAYS[0]: True,
        DAYS[1]: False,
        DAYS[2]: True,
    }
    failed = newest[DAYS[1]]
    assert failed.severity is dg.AssetCheckSeverity.ERROR
    assert failed.metadata["checked"].value == 3
    assert failed.metadata["unexpected"].value == 2
    assert "completeness_visitor_id" in str(failed.metadata["summary"].value)
    warning = evaluations(shop, staging_key("acme", Dataset.ORDERS), "usual_volume")[0]
    assert warning.severity is dg.AssetCheckSeverity.WARN

    shop.views(2, [view(2, "10:00", "v1"), view(2, "12:00", "v6")])
    shop.run(Axis.DELIVERIES, 2, 2)
    assert "2026-01-02" in recorded(shop.run(Axis.EVENT_DAYS, 1, 3))["events/page_views"]


def test_a_check_is_shown_as_evaluated_whichever_run_judged_its_day_last(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    shop.run(Axis.DELIVERIES, 1, 1)
    rebuilt = shop.run(Axis.EVENT_DAYS, 1, 1)
    confirmed = shop.run(Axis.EVENT_DAYS, 1, 1)
    key = staging_key("acme", Dataset.PAGE_VIEWS)
    (materialization,) = shop.instance.fetch_materializations(key, limit=5).records
    assert materialization.run_id == rebuilt.run_id != confirmed.run_id
    targets = [item.target_materialization_data for item in evaluations(shop, key, "books_balance")]
    assert [target.storage_id for target in targets if target] == [materialization.storage_id] * 2


def test_critical_rules_block_and_are_errors(shop: Shop) -> None:
    graph = shop.definitions.resolve_asset_graph()
    for dataset in Dataset:
        for rule in rules_for(dataset):
            node = graph.get(dg.AssetCheckKey(staging_key("acme", dataset), rule.id))
            assert node.blocking is (rule.severity is Severity.CRITICAL)
            assert rule.title in str(node.description)
