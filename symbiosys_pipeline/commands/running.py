"""Commands that do work: demo, run, accept, dev, ledger rebuild, catalog."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from symbiosys_pipeline.commands.surroundings import (
    JSON_OPTION,
    Surroundings,
    console,
    prepare_dagster_home,
    print_json,
    print_table,
    say,
    say_no_clients,
    surroundings,
)
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.settings import PROJECT
from symbiosys_pipeline.storage.ledger_tables import DeliveryState

if TYPE_CHECKING:
    from symbiosys_pipeline.automation.local_run import ClientRun, Progress

ledger_app = typer.Typer(help="The ledger of deliveries and published versions.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(demo)
    app.command()(run)
    app.command()(accept)
    app.command()(dev)
    app.command()(catalog)
    app.add_typer(ledger_app, name="ledger")


def run(
    context: typer.Context,
    clients: list[str] | None = typer.Argument(None, help="Clients; all when none is named."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Land what is new and rebuild what is stale, in this process, until nothing is."""
    results = run_now(surroundings(context), tuple(clients or ()))
    if as_json:
        print_json([_summary(result) for result in results])
    else:
        for result in results:
            print_run(result)
        if not results:
            say_no_clients(surroundings(context))
    if any(result.errors for result in results):
        raise typer.Exit(1)


def run_now(work: Surroundings, clients: tuple[str, ...] = ()) -> "list[ClientRun]":
    """`symbiosys run`, without printing what it did; rebuilds the catalogue afterwards."""
    # Local imports: Dagster takes seconds to import, and most commands only read.
    from symbiosys_pipeline.automation.local_run import run_clients  # noqa: PLC0415
    from symbiosys_pipeline.definitions import build_client_definitions  # noqa: PLC0415
    from symbiosys_pipeline.reports.catalogue import rebuild_catalogue  # noqa: PLC0415
    from symbiosys_pipeline.reports.docs_index import rebuild_docs_index  # noqa: PLC0415

    deployment = work.deployment()
    profiles = deployment.profiles(clients)
    with work.instance() as instance, _shown_progress() as progress:
        definitions = build_client_definitions(work.settings, profiles)
        results = run_clients(deployment, definitions, instance, profiles, progress=progress)
    rebuild_catalogue(deployment)
    rebuild_docs_index(deployment)
    return results


@contextmanager
def _shown_progress() -> "Generator[Progress]":
    """A line on standard error that says what happens now."""
    with console.status("starting") if sys.stdout.isatty() else _silent() as status:
        if status is None:
            yield lambda client, text: print(f"{client}: {text}", file=sys.stderr, flush=True)  # noqa: T201
        else:
            yield lambda client, text: status.update(f"{client}: {text}")


@contextmanager
def _silent() -> Generator[None]:
    yield None


def _summary(result: "ClientRun") -> dict[str, object]:
    return {
        "client": result.client,
        "observed": [item.source_key for item in result.observed],
        "ignored": result.ignored,
        "read": [
            {
                "file": item.source_key,
                "state": str(item.state),
                "rows": item.rows_received,
                "quarantined": item.rows_quarantined,
                "reason": item.reason,
            }
            for item in result.read
        ],
        "rebuilt": {str(day): reason for day, reason in result.rebuilt.items()},
        "rejected": {str(day): datasets for day, datasets in result.rejected.items()},
        "still_stale": [str(item.event_day) for item in result.still_stale],
        "errors": result.errors,
    }


def print_run(result: "ClientRun") -> None:
    """What one call did for one client, in a few lines and one table."""
    refused = [item for item in result.read if item.state is DeliveryState.REFUSED]
    quarantined = sum(item.rows_quarantined or 0 for item in result.read)
    received = sum(item.rows_received or 0 for item in result.read)
    console.print(
        f"[bold]{result.client}[/]: {len(result.observed)} new deliveries, {received} rows received, "
        f"{quarantined} quarantined, {len(refused)} refused, {len(result.rebuilt)} event days rebuilt",
        highlight=False,
    )
    for item in refused:
        say(f"  refused {item.source_key}: {item.reason}")
    for reason, count in sorted(result.ignored.items()):
        examples = ", ".join(result.ignored_examples.get(reason, ()))
        say(f"  {count} objects left alone: {reason} (e.g. {examples})")
    if result.rebuilt:
        print_table("", ("event day", "rebuilt because"), sorted(result.rebuilt.items()))
    for day, datasets in sorted(result.rejected.items()):
        say(
            f"  {day} keeps its published version: {', '.join(datasets)} rejected; "
            f"see `symbiosys explain {result.client} {day}`"
        )
    for item in result.still_stale:
        say(f"  {item.event_day} is still stale: {item.why}")
    for error in result.errors:
        say(f"  error: {error}", style="red")


def demo(
    context: typer.Context,
    home: Path = typer.Option(PROJECT / "data" / "demo", help="Where the demo lives; rewritten each time."),
) -> None:
    """Write a few days of two invented clients, run the pipeline, and compare the result with the truth."""
    from symbiosys_pipeline.commands.demonstration import demonstrate  # noqa: PLC0415

    if not demonstrate(home):
        raise typer.Exit(1)


def accept(
    context: typer.Context,
    client: str,
    day: datetime = typer.Argument(formats=["%Y-%m-%d"], help="The rejected event day."),
    reason: str = typer.Option(..., help="Why it is published as it is; stays visible with the version."),
    by: str = typer.Option(os.environ.get("USER", "unknown"), help="Who decides."),
) -> None:
    """Publish a rejected day as it is, with a reason."""
    from symbiosys_pipeline.steps.judge import accept_day  # noqa: PLC0415

    work = surroundings(context)
    deployment = work.deployment()
    (profile,) = deployment.profiles((client,))
    if not reason.strip():
        raise ConfigurationError("--reason", ["empty; expected why the day is published as it is"])
    taken = accept_day(deployment, profile, day.date(), by=by, reason=reason)
    if not taken:
        raise ConfigurationError(f"{client} {day.date()}", ["no check rejects this day; nothing to accept"])
    for verdict in taken:
        say(f"accepted {verdict.dataset} of {day.date()} by {by}: {reason}")
    for result in run_now(work, (client,)):
        print_run(result)


def dev(context: typer.Context, port: int = typer.Option(3000, help="Port of the Dagster UI.")) -> None:
    """Open the Dagster UI on this deployment's data, with its sensors and schedules."""
    work = surroundings(context)
    prepare_dagster_home(work.settings)
    environment = {
        **os.environ,
        **work.settings.environment(),
        "DAGSTER_HOME": str(work.settings.dagster_home),
    }
    console.print(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(PROJECT / "workspace.yaml")]
    os.execvpe(command[0], [*command, "-h", "127.0.0.1", "-p", str(port)], environment)  # noqa: S606


def catalog(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Rebuild `warehouse.duckdb`, the views over everything published, and list them."""
    from symbiosys_pipeline.reports.catalogue import rebuild_catalogue  # noqa: PLC0415

    work = surroundings(context)
    views = rebuild_catalogue(work.deployment())
    if as_json:
        print_json({"path": str(work.settings.warehouse), "views": views})
        return
    print_table("", ("view",), [(view,) for view in views])
    console.print(f"duckdb -readonly {work.settings.warehouse}", highlight=False, soft_wrap=True)


@ledger_app.command("rebuild")
def ledger_rebuild(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Restore the ledger from the lake: deliveries, slices, verdicts and publications."""
    from symbiosys_pipeline.steps.restore import restore_ledger  # noqa: PLC0415

    restored = restore_ledger(surroundings(context).deployment())
    if as_json:
        print_json(vars(restored))
        return
    print_table("restored from the lake", ("what", "how many"), list(vars(restored).items()))
