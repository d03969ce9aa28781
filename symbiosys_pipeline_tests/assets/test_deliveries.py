"""A run over delivery days: what it records, and what it says of refused rows and deliveries."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from symbiosys_pipeline.assets.check_reports import MAPPED_COLUMNS, NO_REFUSED, SOUND_ROWS
from symbiosys_pipeline.assets.keys import landing_key, quarantine_key, standardized_key
from symbiosys_pipeline.automation.requests import Axis
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline_tests.assets.shops import (
    VIEW_HEADER,
    Shop,
    at,
    evaluations,
    metadata_of,
    order,
    recorded,
    view,
)

DAY = "2026-01-03"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        yield Shop.open(tmp_path, instance)


def test_a_delivery_day_tells_refused_rows_by_reason_late_rows_and_touched_days(shop: Shop) -> None:
    shop.views(
        3,
        [
            view(3, "10:00", "v1"),
            view(3, "11:00", "v2"),
            view(2, "10:00", "v1"),
            view(1, "10:00", "v1"),
            view(3, "12:00", ""),
            view(3, "12:01", ""),
            "soon,v1,s,https://shop.example/,",
        ],
    )
    shop.orders(3, [order(3, "10:06", "v1", "o1")])
    result = shop.run(Axis.DELIVERIES, 1, 3)
    assert result.success
    layers = [
        f"{layer}/{dataset}" for dataset in Dataset for layer in ("landing", "standardized", "quarantine")
    ]
    assert recorded(result) == {name: [DAY] for name in layers}

    landed = metadata_of(shop, landing_key("acme", Dataset.PAGE_VIEWS), DAY)
    file = shop.settings.home / "source" / "acme" / "visits_20260103.csv"
    assert (landed["deliveries"], landed["bytes"]) == (1, file.stat().st_size)
    assert f"| visits_20260103.csv | {file.stat().st_size} | standardized |" in str(landed["files"])

    read = metadata_of(shop, standardized_key("acme", Dataset.PAGE_VIEWS), DAY)
    names = ("rows_received", "dagster/row_count", "rows_quarantined", "refused_deliveries", "late_rows")
    assert [read[name] for name in names] == [7, 4, 3, 0, 2]
    assert read["lag_days"] == 2
    touched = [line for line in str(read["touched_days"]).splitlines() if "2026" in line]
    assert touched == ["| 2026-01-01 | 1 |", "| 2026-01-02 | 1 |", "| 2026-01-03 | 2 |"]

    refused = metadata_of(shop, quarantine_key("acme", Dataset.PAGE_VIEWS), DAY)
    assert refused["dagster/row_count"] == 3
    assert str(refused["reasons"]).splitlines()[2:] == [
        "| visitor_id: missing | 2 |",
        "| event_ts: unparseable_timestamp | 1 |",
    ]


def test_checks_name_the_refused_delivery_and_the_absent_column(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    shop.views(2, [view(2, "10:00", "v1")], header=VIEW_HEADER.replace("visitor_id", "visiter_id"))
    result = shop.run(Axis.DELIVERIES, 1, 2)
    assert result.success
    found = {
        str(item.partition): item
        for item in evaluations(shop, standardized_key("acme", Dataset.PAGE_VIEWS), NO_REFUSED)
    }
    assert {day: item.passed for day, item in found.items()} == {"2026-01-01": True, "2026-01-02": False}
    refused = found["2026-01-02"]
    assert refused.severity is dg.AssetCheckSeverity.ERROR
    told = str(refused.metadata["deliveries"].value)
    assert all(word in told for word in ("visits_20260102.csv", "visitor_id", "visiter_id"))
    columns = evaluations(shop, standardized_key("acme", Dataset.ORDERS), MAPPED_COLUMNS)
    assert [item.passed for item in columns] == [True, True]


def test_rows_that_belong_to_no_day_still_fail_a_check(shop: Shop) -> None:
    timeless = view(2, "10:00", "v1").replace(at(2, "10:00"), "yesterday")
    shop.views(1, [view(1, "10:00", "v1")])
    shop.views(2, [timeless, timeless])
    shop.run(Axis.DELIVERIES, 1, 2)
    found = evaluations(shop, standardized_key("acme", Dataset.PAGE_VIEWS), SOUND_ROWS)
    assert {str(item.partition): item.passed for item in found} == {"2026-01-01": True, "2026-01-02": False}
    (failed,) = [item for item in found if not item.passed]
    assert failed.severity is dg.AssetCheckSeverity.ERROR
    assert "2 of 2 rows quarantined" in str(failed.metadata["deliveries"].value)


def test_what_was_read_is_left_alone_unless_a_person_asks(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    shop.run(Axis.DELIVERIES, 1, 1)
    assert recorded(shop.run(Axis.DELIVERIES, 1, 1)) == {}
    layers = [f"{layer}/page_views" for layer in ("landing", "standardized", "quarantine")]
    deliberate = shop.run(Axis.DELIVERIES, 1, 1, everything=True)
    assert recorded(deliberate) == {name: ["2026-01-01"] for name in layers}


def test_a_vanished_file_fails_the_run_and_does_not_stop_the_other_days(shop: Shop) -> None:
    shop.views(1, [view(1, "10:00", "v1")])
    shop.views(2, [view(2, "10:00", "v1")])
    discover(shop.deployment, shop.profile, Dataset.PAGE_VIEWS)
    (shop.settings.home / "source" / "acme" / "visits_20260101.csv").unlink()
    result = shop.run(Axis.DELIVERIES, 1, 2)
    assert not result.success
    assert recorded(result)["landing/page_views"] == ["2026-01-02"]
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert "visits_20260101.csv" in str(failure.step_failure_data)
