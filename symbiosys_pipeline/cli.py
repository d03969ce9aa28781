"""The `symbiosys` command: global options, the groups of commands, and how errors end."""

import os
import sys
from typing import NoReturn

import sqlalchemy.exc
import typer

from symbiosys_pipeline.commands import (
    clients,
    inspecting,
    quarantine,
    running,
)
from symbiosys_pipeline.commands.surroundings import Surroundings, errors, printable
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
    home: str | None = typer.Option(
        None, help="Folder of the lake, the ledger and Dagster's storage (or SYMBIOSYS_HOME)."
    ),
    clients_folder: str | None = typer.Option(
        None, "--clients", help="Folder of <client>/defs.yaml (or SYMBIOSYS_CLIENTS)."
    ),
) -> None:
    given = {"SYMBIOSYS_HOME": home, "SYMBIOSYS_CLIENTS": clients_folder}
    if "" in given.values():
        # An unset shell variable makes an empty option, and an empty path would be the current folder.
        raise typer.BadParameter("an empty folder name; expected a folder for --home and --clients")
    chosen = {name: path for name, path in given.items() if path is not None}
    context.obj = Surroundings(Settings.from_environment({**os.environ, **chosen}))


def main() -> None:
    """Run the command; an error meant for people is printed without a traceback and exits with 1."""
    try:
        app()
    except SymbiosysError as error:
        _end(type(error).__name__, str(error))
    except OSError as error:
        where = error.filename or "the home, the lake or the clients' folder"
        what = error.strerror or type(error).__name__
        _end("OSError", f"{where}: {what}; check that the place exists, has room and may be read and written")
    except sqlalchemy.exc.DBAPIError as error:
        _end("ledger", f"{error.orig}; what was recorded stays: repair the ledger and run the command again")


def _end(kind: str, message: str) -> NoReturn:
    errors.print(f"[bold red]error[/] {kind}", highlight=False)
    errors.print(printable(message, keep="\n"), highlight=False, markup=False, soft_wrap=True)
    sys.exit(1)
