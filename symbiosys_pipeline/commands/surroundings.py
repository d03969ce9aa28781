"""What every command needs: deployment, Dagster instance, one way to print for people and programs."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.settings import PROJECT, Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

JSON_OPTION = typer.Option(False, "--json", help="Print JSON for programs.")

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
    """Print for a program: dates in ISO 8601, decimals as text."""
    typer.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def _plain(value: object) -> object:
    match value:
        case date() | datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be printed as JSON")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print for a person; numbers are set to the right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for number, name in enumerate(header):
        numeric = bool(rows) and all(isinstance(row[number], int | float | Decimal) for row in rows)
        short = all(len(str(row[number])) <= _SHORT for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=short)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table)
