"""Every command on one small deployment: what it prints for people and what it gives to programs."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from symbiosys_pipeline_tests.commands.command_line import (
    GOOD,
    ORDERS,
    REJECTED,
    VIEWS,
    CommandLine,
    Ended,
    acme,
    ms,
    view,
)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandLine, Ended]:
    symbiosys = acme(tmp_path_factory.mktemp("deployment"))
    return symbiosys, symbiosys("run", "--json")


@pytest.fixture(scope="module")
def symbiosys(first_run: tuple[CommandLine, Ended]) -> CommandLine:
    return first_run[0]


@pytest.fixture
def own(symbiosys: CommandLine, tmp_path: Path) -> CommandLine:
    """A copy that a test may change."""
    shutil.copytree(symbiosys.home, tmp_path / "home")
    shutil.copytree(symbiosys.clients, tmp_path / "clients")
    return CommandLine(tmp_path / "home", tmp_path / "clients")


def test_run_says_what_it_did_and_why(first_run: tuple[CommandLine, Ended]) -> None:
    ended = first_run[1]
    (client,) = ended.json()
    read = {item["file"]: (item["state"], item["rows"], item["quarantined"]) for item in client["read"]}
    assert read == {
        "visits/v_20260301.csv": ("standardized", 6, 1),
        "visits/v_20260302.csv": ("standardized", 6, 4),
        "visits/late-v_20260302.csv": ("refused", None, None),
        "orders/o_20260301.csv": ("standardized", 2, 0),
        "orders/o_20260302.csv": ("standardized", 1, 0),
    }
    assert sorted(client["observed"]) == sorted(read)
    assert set(client["rebuilt"]) == {GOOD, REJECTED}
    assert client["rejected"] == {REJECTED: ["page_views"]}
    assert (client["errors"], client["still_stale"], ended.status) == ([], [], 0)
    assert "acme: reading deliveries of 2026-03-01 to 2026-03-02" in ended.err


def test_run_again_does_nothing(symbiosys: CommandLine) -> None:
    (client,) = symbiosys("run", "--json").json()
    assert (client["observed"], client["read"], client["rebuilt"]) == ([], [], {})
    assert symbiosys("run").message().startswith("acme: 0 new deliveries, 0 rows received")


def test_status_of_every_day(symbiosys: CommandLine) -> None:
    days = {item["day"]: item for item in symbiosys("status", "acme", "--json").json()["acme"]}
    assert days[GOOD]["arrival"] == {"page_views": "arrived", "orders": "arrived"}
    assert days[GOOD]["events"] == "published"
    assert days[GOOD]["rows"] == {"page_views": 4, "orders": 2, "order_lines": 2, "sessions": 1}
    assert days[REJECTED]["arrival"] == {"page_views": "refused", "orders": "arrived"}
    assert (days[REJECTED]["events"], days[REJECTED]["quarantined"]) == ("rejected", 4)
    assert "visits/late-v_20260302.csv: missing_column" in days[REJECTED]["why"]
    assert days["2026-03-03"]["arrival"] == {"page_views": "missing", "orders": "missing"}
    text = symbiosys("status", "--last", "1").message()
    assert "rejected" in text
    assert GOOD not in text


def test_explain_names_deliveries_refusals_duplicates_and_checks(symbiosys: CommandLine) -> None:
    views = symbiosys("explain", "acme", GOOD, "--json").json()["datasets"]["page_views"]
    assert [(item["file"], item["rows"], item["live"]) for item in views["deliveries"]] == [
        ("visits/v_20260301.csv", 5, True)
    ]
    assert (views["staged"]["rows"], views["staged"]["duplicates"]) == (4, 1)
    rejected = symbiosys("explain", "acme", REJECTED, "--json").json()
    views = rejected["datasets"]["page_views"]
    assert views["quarantine"] == {"crm_id: personal_data_in_clear": 2, "visitor_id: missing": 2}
    assert [item["file"] for item in views["refused"]] == ["visits/late-v_20260302.csv"]
    assert rejected["events"] is None
    text = symbiosys("explain", "acme", REJECTED).message()
    assert "2 quarantined, crm_id: personal_data_in_clear" in text
    assert "critical" in text
    assert "events: not published" in text


def test_a_day_without_rows_is_said_to_have_none(symbiosys: CommandLine) -> None:
    text = symbiosys("explain", "acme", "2026-03-09").message()
    assert "page_views of acme, 2026-03-09: no delivery brought rows for this day" in text


def test_quarantine_list_and_show(symbiosys: CommandLine) -> None:
    listed = symbiosys("quarantine", "list", "acme", "--json").json()
    assert {(item["file"], item["field"], item["reason"]) for item in listed} == {
        ("visits/late-v_20260302.csv", "(whole delivery)", "missing_column"),
        ("visits/v_20260301.csv", "event_ts", "unparseable_timestamp"),
        ("visits/v_20260302.csv", "crm_id", "personal_data_in_clear"),
        ("visits/v_20260302.csv", "visitor_id", "missing"),
    }
    shown = symbiosys("quarantine", "show", "acme", "--reason", "personal_data_in_clear", "--json").json()
    assert [item["row_number"] for item in shown] == [3, 4]
    assert {item["file"] for item in shown} == {"visits/v_20260302.csv"}
    text = symbiosys("quarantine", "show", "acme", "--rows", "1").message()
    assert "4 more rows" in text
    assert "jane" not in text


def test_replay_reads_what_a_changed_profile_can_read(own: CommandLine) -> None:
    text = (own.clients / "acme" / "defs.yaml").read_text()
    # The delivery of `when,who` stays refused; the crm_ids are let go of, so their rows become sound.
    dropped = text + "  restrictions:\n    drop_fields: [crm_id]\n"
    own.write_profile(dropped)
    ended = own("quarantine", "replay", "acme", "--json")
    found = {item["file"]: (item["before"], item["now"]) for item in ended.json()["replayed"]}
    assert found["visits/v_20260302.csv"] == (
        "standardized, 4 rows quarantined",
        "standardized, 2 rows quarantined",
    )
    assert found["visits/late-v_20260302.csv"][1].startswith("refused")
    assert ended.status == 0


def test_accept_publishes_the_rejected_day_and_keeps_the_reason(own: CommandLine) -> None:
    ended = own("accept", "acme", REJECTED, "--reason", "tag [was] broken", "--by", "ann")
    assert ended.status == 0, ended.err
    assert f"accepted page_views of {REJECTED} by ann: tag [was] broken" in ended.message()
    found = own("explain", "acme", REJECTED, "--json").json()
    assert found["events"] == {"page_views": 2, "orders": 1, "order_lines": 1, "sessions": 1}
    assert found["datasets"]["page_views"]["accept_reason"] == "tag [was] broken"
    days = {item["day"]: item for item in own("status", "--json").json()["acme"]}
    assert (days[REJECTED]["events"], days[REJECTED]["why"][-1]) == (
        "accepted",
        "accepted by ann: tag [was] broken",
    )
    assert "no check rejects this day" in own("accept", "acme", REJECTED, "--reason", "again").message()


def test_the_ledger_comes_back_from_the_lake(own: CommandLine) -> None:
    before = own("status", "--json").json(), own("explain", "acme", GOOD, "--json").json()
    for file in own.home.glob("ledger.sqlite*"):
        file.unlink()
    restored = own("ledger", "rebuild", "--json").json()
    assert restored["deliveries"] == 5
    assert (own("status", "--json").json(), own("explain", "acme", GOOD, "--json").json()) == before
    assert "deliveries" in own("ledger", "rebuild").message()


def test_the_catalogue_and_queries_over_it(symbiosys: CommandLine) -> None:
    views = symbiosys("catalog", "--json").json()["views"]
    assert {"page_views", "orders", "order_lines", "sessions", "quarantine"} <= set(views)
    assert "sessions" in symbiosys("catalog").message()
    query = "SELECT event_day, count(*) AS n, sum(revenue) AS revenue FROM orders GROUP BY ALL ORDER BY ALL"
    (row,) = symbiosys("sql", query, "--json").json()
    # One unit and two, at 8.50 net: CONTRACT 2.2.
    assert (row["event_day"], row["n"], Decimal(row["revenue"])) == (GOOD, 2, Decimal("25.50"))
    assert "only the first 2 rows are shown" in symbiosys("sql", "FROM range(5)", "--rows", "2").message()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 AS a, 2 AS a", {"a": 1, "a_2": 2}),
        ("SELECT '[red]x[/none]' AS a", {"a": "[red]x[/none]"}),
        ("SELECT 'nan'::DOUBLE AS a, 'ab'::BLOB AS b", {"a": "nan", "b": "6162"}),
        (
            "SELECT {'k': [1.5::DECIMAL(4, 2)]} AS a, TIME '12:00' AS b",
            {"a": {"k": ["1.50"]}, "b": "12:00:00"},
        ),
        ("SELECT NULL AS a", {"a": None}),
    ],
)
def test_every_value_can_be_printed(symbiosys: CommandLine, query: str, expected: dict[str, object]) -> None:
    assert symbiosys("sql", query, "--json").json() == [expected]
    assert symbiosys("sql", query).status == 0


def test_clients_list_and_check(symbiosys: CommandLine) -> None:
    (listed,) = symbiosys("clients", "list", "--json").json()
    assert (listed["client"], listed["orders from"]) == ("acme", "source/orders/o_{YYYYMMDD}.csv")
    assert "Acme" in symbiosys("clients", "list").message()
    ended = symbiosys("clients", "check", "--json")
    found = [(item["ok"], item["where"]) for item in ended.json()]
    # The newest page views are the ones without the required columns.
    assert (True, "orders (files)") in found
    assert ended.status == 1


def test_clients_add_proposes_a_mapping_that_then_checks(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.deliver(
        "visits/v_20260301.csv", VIEWS.replace("visitor_id", "visitorid"), view(GOOD, "10:00:00")
    )
    symbiosys.deliver("orders/o_20260301.csv", ORDERS, f"o1,{ms(GOOD, '10:00:00')},ant,p1,1,10.00,8.50")
    ended = symbiosys(
        "clients", "add", "newshop", "--location", "source", "--page-views", "visits/v_{YYYYMMDD}.csv",
        "--orders", "orders/o_{YYYYMMDD}.csv", "--owner", "team:x", "--start-date", GOOD,
    )  # fmt: skip
    assert ended.status == 0, ended.err
    assert "is visitor_id really the column 'visitorid'?" in ended.message()
    assert "visitor_id: visitorid" in (symbiosys.clients / "newshop" / "defs.yaml").read_text()
    assert symbiosys("clients", "check").status == 0
