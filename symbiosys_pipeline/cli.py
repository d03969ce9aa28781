"""The `symbiosys` command: global options, the groups of commands, and how errors end."""

import sys
from pathlib import Path

import typer

from symbiosys_pipeline.commands import (
    clients,
    inspecting,
    quarantine,
    running,
)
from symbiosys_pipeline.commands.surroundings import Surroundings, errors
from symbiosys_pipeline.errors import SymbiosysError
from symbiosys_pipeline.settings import Settings

app = typer.Typer(
    help="Land retailers' page views and orders, check them, and publish attribution-ready days.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(clients.app, name="clients")
app.add_typer(quarantine.app, name="quarantine")
running.register(app)
inspecting.register(app)


@app.callback()
def _global_options(
    context: typer.Context,
    home: Path | None = typer.Option(
        None, envvar="SYMBIOSYS_HOME", help="Folder of the lake, the ledger and Dagster's storage."
    ),
    clients_folder: Path | None = typer.Option(
        None, "--clients", envvar="SYMBIOSYS_CLIENTS", help="Folder of <client>/defs.yaml."
    ),
) -> None:
    base = Settings.from_environment()
    changed = home is not None or clients_folder is not None
    context.obj = Surroundings(
        Settings.at(home or base.home, clients=clients_folder or base.clients) if changed else base
    )


def main() -> None:
    """Run the command; an error meant for people is printed without a traceback and exits with 1."""
    try:
        app()
    except SymbiosysError as error:
        errors.print(f"[bold red]error[/] {type(error).__name__}", highlight=False)
        errors.print(str(error), highlight=False, markup=False)
        sys.exit(1)
