"""What every command needs: deployment, Dagster instance, one way to print for people and programs."""

import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.settings import PROJECT, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

JSON_OPTION = typer.Option(False, "--json", help="Print JSON for programs.")

#: More rows than this are a file's, not a terminal's.
MOST_ROWS = 1_000_000

#: A pipe has no width of its own; tables are readable there at this one.
_WIDE = 160
#: Cells up to this length are never broken over lines: dates, states, ids.
_SHORT = 16

console = Console(width=None if sys.stdout.isatty() else _WIDE)
errors = Console(stderr=True)


@dataclass(frozen=True)
class Surroundings:
    """What the command line set up before the command."""

    settings: Settings

    def deployment(self) -> Deployment:
        """The deployment's lake, ledger and clients."""
        return Deployment.open(self.settings)

    def instance(self) -> "DagsterInstance":
        """The deployment's Dagster instance; its folder gets the project's `dagster.yaml`."""
        from dagster import DagsterInstance  # noqa: PLC0415 - commands that only read need no Dagster

        prepare_dagster_home(self.settings)
        return DagsterInstance.from_config(str(self.settings.dagster_home))


def surroundings(context: typer.Context) -> Surroundings:
    """What `main` put into the context."""
    found = context.find_object(Surroundings)
    if found is None:
        raise RuntimeError("the command line was not set up")
    return found


def prepare_dagster_home(settings: Settings) -> None:
    """Create the instance's folder and give it the project's configuration."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster.yaml", settings.dagster_home / "dagster.yaml")


def print_json(value: object) -> None:
    """Print for a program: dates in ISO 8601, bytes in hex, decimals and whatever else as text."""
    typer.echo(json.dumps(_finite(value), default=_plain, indent=2, ensure_ascii=False))


def _finite(value: object) -> object:
    """The value with text for the numbers and keys that JSON does not have."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            known = cast("dict[object, object]", value)
            return {str(key): _finite(item) for key, item in known.items()}
        case list() | tuple():
            return [_finite(item) for item in cast("Sequence[object]", value)]
        case _:
            return value


def _plain(value: object) -> object:
    match value:
        case date() | datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print for a person: numbers to the right, text as it is, a `Text` in its own style."""
    table = Table(title=Text(title) if title else None, title_justify="left", header_style="bold")
    for number, name in enumerate(header):
        numeric = bool(rows) and all(isinstance(row[number], int | float | Decimal) for row in rows)
        short = all(len(str(row[number])) <= _SHORT for row in rows)
        table.add_column(
            Text(_cell(name)), justify="right" if numeric else "left", overflow="fold", no_wrap=short
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row))
    console.print(table)


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))


def printable(text: str, *, keep: str = "") -> str:
    """Text from outside with its control characters written out: a file's name may not steer a terminal."""
    return "".join(
        sign if sign.isprintable() or sign in keep else sign.encode("unicode_escape").decode()
        for sign in text
    )


def say(text: str, *, style: str | None = None) -> None:
    """Print one line for a person, exactly as it is: no markup, no wrapping."""
    console.print(printable(text, keep="\n"), style=style, markup=False, highlight=False, soft_wrap=True)


def say_no_clients(work: Surroundings) -> None:
    """What to do in a deployment without clients."""
    say(f"no clients in {work.settings.clients}; `symbiosys clients add` makes one, `symbiosys demo` two")
