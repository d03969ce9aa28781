"""Sessions that another project derived from the same page views (`fixtures/sessions_oracle`)."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from symbiosys_pipeline.contracts.tables import Table
from symbiosys_pipeline_tests.pipeline.clients import SHARED, RunningClient, csv_bytes

ORACLE = SHARED / "fixtures/sessions_oracle"


def oracle_client() -> dict[str, Any]:
    return {
        "client": "oracle",
        "start_date": "2026-01-01",
        "currency": "EUR",
        "owners": ["team:web"],
        "page_views": {
            "sources": [
                {
                    "location": "source",
                    "pattern": "pages_{YYYYMMDD}.csv",
                    "timestamp": {"format": "%Y-%m-%d %H:%M:%S"},
                    "mapping": {
                        "event_ts": "timestamp",
                        "event_id": "id",
                        "visitor_id": "anonymous_id",
                        "crm_id": "user_id",
                        "page_url": "url",
                    },
                }
            ]
        },
        "orders": {"sources": [{"location": "source", "pattern": "orders_{YYYYMMDD}.csv"}]},
    }


def files_by_day() -> dict[str, bytes]:
    with (ORACLE / "pages.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("timestamp")
    days: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        days[row[at][:10].replace("-", "")].append(row)
    return {f"pages_{day}.csv": csv_bytes(header, found) for day, found in sorted(days.items())}


@pytest.mark.parametrize("at_once", [True, False], ids=["in one go", "day by day"])
def test_every_page_view_is_in_the_session_the_oracle_put_it_in(tmp_path: Path, at_once: bool) -> None:
    client = RunningClient(tmp_path, oracle_client())
    for key, content in files_by_day().items():
        client.put(key, content)
        if not at_once:
            client.run()
    client.run()
    views = client.table(Table.PAGE_VIEWS)
    expected = pl.read_csv(ORACLE / "expected_page_view_sessions.csv")
    assert views["session_source"].unique().to_list() == ["derived"]
    both = views.select("event_id", "visitor_id", "session_id").join(
        expected.select("page_view_id", "anonymous_id", oracle_id="session_id"),
        left_on=["event_id", "visitor_id"],
        right_on=["page_view_id", "anonymous_id"],
        how="full",
    )
    assert both.height == views.height == expected.height
    assert both.null_count().sum_horizontal().item() == 0
    pairs = both.select("session_id", "oracle_id").unique()
    assert pairs.height == pairs["session_id"].n_unique() == pairs["oracle_id"].n_unique() == 1498
    per_day = client.table(Table.SESSIONS)
    assert per_day["session_id"].n_unique() == 1498
    assert per_day["views"].sum() == expected.height
