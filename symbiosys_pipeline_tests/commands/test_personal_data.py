"""Personal data in every field and column is nowhere but in landing (CONTRACT 1)."""

from pathlib import Path

import polars as pl

from symbiosys_pipeline_tests.commands.command_line import CommandLine, acme, ms

#: What is planted, and what of it no file may hold: parts that nothing else in a deployment holds.
MAIL, ENCODED, PHONE, NAME = (
    "jane.q.doe@mailbox-xq.example",
    "zeb%40mailxx.example",
    "+49 151 2345 6789",
    "Zebulon Quackenbush",
)
TRACES = ("mailbox-xq", "mailxx", "151 2345 6789", "Zebulon", "Quackenbush")

_DAY = "2026-03-01"
#: Identifiers can be anything but an address or a number to call; a name among them cannot be told.
_IDENTIFIERS = ("visitor_id", "session_id", "crm_id", "product_id", "category_id", "event_id")
_TYPED = ("event_ts", "user_opt_out", "platform", "hashed_email", "hashed_city_user")
_ORDER_TYPED = (
    "event_ts",
    "quantity",
    "regular_unit_price",
    "discount_unit_price",
    "currency",
    "hashed_phone",
)
_ORDER_IDENTIFIERS = ("order_id", "visitor_id", "product_id", "crm_id")


def rows(columns: list[str], sound: dict[str, str], identifiers: tuple[str, ...]) -> list[str]:
    """A sound row, and one for every field and everything that may stand in it."""
    planted = [{}] + [
        {name: value}
        for name in sound
        for value in ((MAIL, ENCODED, PHONE) if name in identifiers else (MAIL, ENCODED, PHONE, NAME))
        if name != "page_url"
    ]
    return [
        ",".join({**dict.fromkeys(columns, NAME), **sound, **row}[name] for name in columns)
        for row in planted
    ]


def planted(root: Path) -> tuple[CommandLine, str]:
    """The deployment after every command was run, and all they printed."""
    symbiosys = acme(root)
    at = str(ms(_DAY, "10:00:00"))
    sound = {
        **dict.fromkeys(_TYPED, ""),
        **dict.fromkeys(_IDENTIFIERS, "x"),
        "page_url": "https://s.example/",
    }
    columns = [*sound, "full_name", "contact"]
    broken = [f"{NAME},{MAIL}", ",".join([NAME, PHONE] * 20), f'"{NAME} "unclosed" {MAIL}']
    views = rows(columns, {**sound, "event_ts": at}, _IDENTIFIERS)
    symbiosys.deliver("visits/v_20260301.csv", ",".join(columns), *views, *broken)
    symbiosys.deliver("visits/no-header-v_20260301.csv", f"{NAME},{MAIL},{PHONE}", "a,b,c")
    symbiosys.deliver(
        "visits/named-v_20260301.csv",
        f"event_ts,visitor_id,page_url,{MAIL},{PHONE}",
        f"{at},v,https://s.example/,1,2",
    )
    symbiosys.deliver("visits/near-v_20260301.csv", f"event_ts,visitor_{MAIL},page_url", "1,2,3")
    order = {**dict.fromkeys(_ORDER_TYPED, ""), **dict.fromkeys(_ORDER_IDENTIFIERS, "x")}
    order |= {"event_ts": at, "quantity": "1", "regular_unit_price": "1.00"}
    symbiosys.deliver("orders/o_20260301.csv", ",".join(order), *rows([*order], order, _ORDER_IDENTIFIERS))
    adding = "--location source --page-views visits/no-header-v_{YYYYMMDD}.csv --owner team:x"
    commands = [
        "clients check",
        "run",
        "status",
        f"explain acme {_DAY}",
        f"explain acme {_DAY} --json",
        "quarantine list acme",
        "quarantine show acme --rows 1000",
        "quarantine replay acme",
        f"clients add shop {adding} --orders orders/o_{{YYYYMMDD}}.csv --start-date {_DAY}",
    ]
    printed: list[str] = []
    for words in [*(command.split() for command in commands), ["sql", "FROM quarantine", "--rows", "1000"]]:
        ended = symbiosys(*words)
        assert "Traceback" not in ended.err, ended.err
        printed.append(ended.out + ended.err)
    return symbiosys, "\n".join(printed)


def test_personal_data_is_nowhere_but_in_landing(tmp_path: Path) -> None:
    symbiosys, printed = planted(tmp_path)
    query = "SELECT DISTINCT field, reason FROM quarantine"
    met = {(item["field"], item["reason"]) for item in symbiosys("sql", query, "--json").json()}
    assert {(name, "personal_data_in_clear") for name in (*_IDENTIFIERS, *_ORDER_IDENTIFIERS)} <= met
    assert {name for name, _ in met} >= {*_TYPED, *_ORDER_TYPED, None}
    assert [trace for trace in TRACES if trace in printed] == []
    assert {path.name for path in symbiosys.home.iterdir()} >= {"lake", "ledger.sqlite", "dagster"}
    files = [path for path in sorted(symbiosys.home.rglob("*")) if path.is_file()]
    held = {
        path.relative_to(symbiosys.home): found
        for path in files
        if (found := [trace for trace in TRACES if trace.encode() in _content(path)])
    }
    assert any(path.parts[:2] == ("lake", "landing") for path in held)
    assert {path: found for path, found in held.items() if not _raw(path)} == {}


def _raw(path: Path) -> bool:
    return path.parts[0] == "source" or path.parts[:2] == ("lake", "landing")


def _content(path: Path) -> bytes:
    """The bytes, and for Parquet the values too, which lie compressed."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    return path.read_bytes() + str(pl.read_parquet(path, hive_partitioning=False).rows()).encode()
