"""Wrong input: every message says what, where, what was expected and what to do, and nothing is lost."""

import os
from pathlib import Path

import pytest

from symbiosys_pipeline_tests.commands.command_line import GOOD, PROFILE, VIEWS, CommandLine, view


@pytest.fixture(scope="module")
def symbiosys(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A client of which nothing was run yet, with a catalogue."""
    symbiosys = CommandLine.below(tmp_path_factory.mktemp("wrong"))
    symbiosys.write_profile()
    assert symbiosys("catalog").status == 0
    return symbiosys


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("run nobody", 1, "no client 'nobody'; expected one of acme"),
        ("status nobody", 1, "no client 'nobody'; expected one of acme"),
        ("quarantine list nobody", 1, "no client 'nobody'; expected one of acme"),
        ("quarantine show nobody", 1, "no client 'nobody'; expected one of acme"),
        ("quarantine replay nobody", 1, "no client 'nobody'; expected one of acme"),
        ("explain nobody 2026-03-01", 1, "no client 'nobody'; expected one of acme"),
        ("explain acme 2026-13-01", 2, "does not match the format"),
        ("accept acme 2026-03-01", 2, "Missing option '--reason'"),
        ("accept acme 2026-03-01 --reason= ", 1, "expected why the day is published"),
        ("accept acme 2026-03-01 --reason=x", 1, "no check rejects this day; nothing to accept"),
        ("quarantine show acme --rows=-1", 2, "-1 is not in the range"),
        ("status --last=0", 2, "0 is not in the range"),
        ("sql SELEC", 1, "syntax error at or near"),
        ("sql TABLE_nowhere", 1, "`symbiosys catalog` rebuilds the views and lists them"),
        ("sql FROM_x --rows=99999999999999999999", 2, "is not in the range"),
        ("sql= ", 2, "No such command"),
        ("nonsense", 2, "No such command 'nonsense'"),
    ],
)
def test_a_mistake_ends_with_its_message(
    symbiosys: CommandLine, command: str, status: int, message: str
) -> None:
    ended = symbiosys(*(word.replace("_", " ") for word in command.split(" ") if word))
    assert message in ended.message()
    assert ended.status == status


@pytest.mark.parametrize("query", ["", "  ", "SELECT 'x'::INT", "CREATE TABLE x (a INT)", "SELECT 1; SELEC"])
def test_a_query_that_fails(symbiosys: CommandLine, query: str) -> None:
    ended = symbiosys("sql", query)
    assert "sql: 1 mistake(s)" in ended.message()
    assert ended.status == 1


def test_a_query_before_there_is_a_catalogue_and_over_a_damaged_one(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    assert "no catalogue yet; run `symbiosys catalog` first" in symbiosys("sql", "SELECT 1").message()
    symbiosys.home.mkdir()
    (symbiosys.home / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    assert "not a valid DuckDB database file" in symbiosys("sql", "SELECT 1").message()
    assert symbiosys("catalog").status == 0
    assert symbiosys("sql", "SELECT count(*) FROM orders").status == 0


@pytest.mark.parametrize("command", ["status", "run", "clients check"])
def test_a_deployment_without_clients_says_how_to_get_one(tmp_path: Path, command: str) -> None:
    ended = CommandLine.below(tmp_path)(*command.split())
    assert f"no clients in {tmp_path / 'clients'}; `symbiosys clients add`" in ended.message()
    assert ended.status == 0


@pytest.mark.parametrize(
    "command", ["status", "run", "clients list", "clients check", "explain acme 2026-03-01"]
)
def test_a_missing_clients_folder_is_named(tmp_path: Path, command: str) -> None:
    ended = CommandLine(tmp_path / "home", tmp_path / "nowhere")(*command.split())
    assert "nowhere:1: expected a folder of <client>/defs.yaml" in ended.message()
    assert ended.status == 1


def test_a_home_that_is_a_file_and_a_home_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "clients").mkdir()
    ended = CommandLine(tmp_path / "file", tmp_path / "clients")("status")
    assert f"{tmp_path / 'file'}: File exists; check that the place" in ended.message()
    assert ended.status == 1
    symbiosys = CommandLine.below(tmp_path / "other")
    assert symbiosys("--home", "", "status").status == 2


def test_a_damaged_ledger_is_not_touched(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.home.mkdir()
    ledger = symbiosys.home / "ledger.sqlite"
    ledger.write_bytes(b"damaged" * 1000)
    ended = symbiosys("status")
    assert "move it away and run `symbiosys ledger rebuild`" in ended.message()
    assert (ended.status, ledger.read_bytes()) == (1, b"damaged" * 1000)


def test_all_mistakes_of_all_profiles_at_once(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.write_profile(PROFILE.replace("EUR", "euros").replace("time_zone: UTC", "time_zone: Pariss"))
    symbiosys.write_profile(PROFILE.replace("currency", "curency"), client="beta")
    ended = symbiosys("clients", "check", "--json")
    text = " ".join(item["what"] for item in ended.json())
    for field in ("currency: 'euros'", "time_zone: 'Pariss'", "did you mean currency", "expected beta"):
        assert field in text
    assert ended.status == 1
    assert symbiosys("run").status == 1


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--currency", "EURO", "currency"),
        ("--time-zone", "Pariss", "time_zone"),
        ("--owner", "nobody", "owners"),
        ("--page-views", "visits/{YYYY}.csv", "expected year, month and day together"),
        ("--location", "nowhere", "nowhere: no such folder"),
        ("--start-date", "yesterday", "does not match the format"),
    ],
)
def test_a_client_that_cannot_be_added_leaves_no_file(
    tmp_path: Path, option: str, value: str, message: str
) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.deliver("visits/v_20260301.csv", VIEWS, view(GOOD, "10:00:00"))
    options = {
        "--location": "source", "--page-views": "visits/v_{YYYYMMDD}.csv", "--orders": "o_{YYYYMMDD}.csv",
        "--owner": "team:x", "--start-date": GOOD, option: value,
    }  # fmt: skip
    ended = symbiosys("clients", "add", "shop", *(word for pair in options.items() for word in pair))
    assert message in ended.message()
    assert ended.status in {1, 2}
    assert list(symbiosys.clients.iterdir()) == []


@pytest.mark.parametrize("name", ["../escape", "Upper", "a b", ""])
def test_a_client_of_an_impossible_name_is_not_added(tmp_path: Path, name: str) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.source.mkdir(parents=True)
    ended = symbiosys(
        "clients", "add", name, "--location", "source", "--page-views", "v_{YYYYMMDD}.csv",
        "--orders", "o_{YYYYMMDD}.csv", "--owner", "team:x", "--start-date", GOOD,
    )  # fmt: skip
    assert "client" in ended.message()
    assert ended.status == 1
    assert not list(tmp_path.rglob("defs.yaml"))


def test_garbage_among_the_deliveries_stops_nothing_sound(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.write_profile()
    visits = symbiosys.deliver("visits/[red]it's v_20260301.csv", VIEWS, view(GOOD, "10:00:00")).parent
    symbiosys.deliver("visits/v_20261399.csv", VIEWS, view(GOOD, "10:00:00"))
    symbiosys.deliver("visits/.v_20260301.csv.part", VIEWS, view(GOOD, "10:00:00"))
    (visits / "zero-v_20260301.csv").touch()
    (visits / "binary-v_20260301.csv").write_bytes(bytes(range(256)) * 64)
    (visits / "line\nbreak-v_20260301.csv").touch()
    (visits / "folder-v_20260301.csv").mkdir()
    (visits / "dangling-v_20260301.csv").symlink_to(visits / "nowhere")
    os.mkfifo(visits / "pipe-v_20260301.csv")
    # There is no folder of orders at all: the pattern's prefix is empty of objects, not an error.
    ended = symbiosys("run")
    text = ended.message()
    assert "refused visits/zero-v_20260301.csv: the file holds no header" in text
    assert "refused visits/binary-v_20260301.csv" in text
    assert r"(e.g. visits/line\nbreak-v_20260301.csv)" in text
    assert "date in the name is no calendar day (e.g. visits/v_20261399.csv)" in text
    assert "1 rows received" in text
    explained = symbiosys("explain", "acme", GOOD)
    assert "[red]it's v_20260301.csv" in explained.message()
    assert "Traceback" not in symbiosys("quarantine", "list", "acme").message()


def test_one_dataset_without_its_folder_does_not_stop_the_other(tmp_path: Path) -> None:
    symbiosys = CommandLine.below(tmp_path)
    symbiosys.write_profile(PROFILE.replace("location: source", "location: nowhere", 1))
    symbiosys.deliver("orders/o_20260301.csv", "order_id,event_ts", "1,2")
    ended = symbiosys("run", "--json")
    (client,) = ended.json()
    assert "nowhere: no such folder" in client["errors"][0]
    assert client["observed"] == ["orders/o_20260301.csv"]
    assert ended.status == 1
