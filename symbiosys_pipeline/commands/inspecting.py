"""Commands that only read: status, explain, sql."""

from datetime import datetime
from typing import Any

import typer
from rich.text import Text

from symbiosys_pipeline.commands.surroundings import (
    JSON_OPTION,
    MOST_ROWS,
    console,
    print_json,
    print_table,
    say,
    say_no_clients,
    surroundings,
)
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.reports.explanation import DatasetExplanation, Explanation, explain
from symbiosys_pipeline.reports.status import DayStatus, Readiness, client_status

_COLOURS = {
    Readiness.PUBLISHED: "green",
    Readiness.ACCEPTED: "yellow",
    Readiness.REJECTED: "bold red",
    Readiness.STALE: "yellow",
    Readiness.NO_ROWS: "dim",
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(status)
    app.command("explain")(explain_day)
    app.command()(sql)


def status(
    context: typer.Context,
    clients: list[str] | None = typer.Argument(None, help="Clients; all when none is named."),
    last: int = typer.Option(14, min=1, help="Days shown per client, back from the newest with rows."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Per client and day: what arrived, what was refused, what is published, rejected or stale."""
    work = surroundings(context)
    deployment = work.deployment()
    found = {
        profile.client: client_status(deployment, profile)
        for profile in deployment.profiles(tuple(clients or ()))
    }
    if as_json:
        print_json({client: [_day_json(item) for item in days] for client, days in found.items()})
        return
    for client, days in found.items():
        _print_status(client, days, last)
    if not found:
        say_no_clients(work)


def _print_status(client: str, days: list[DayStatus], last: int) -> None:
    known = [number for number, item in enumerate(days) if item.readiness is not Readiness.NO_ROWS]
    end = (known[-1] + 1) if known else len(days)
    rows = [
        (
            item.day,
            item.arrival[Dataset.PAGE_VIEWS],
            item.arrival[Dataset.ORDERS],
            item.quarantined,
            Text(item.readiness, style=_COLOURS[item.readiness]),
            item.rows.get("page_views", 0),
            item.rows.get("sessions", 0),
            item.rows.get("orders", 0),
            "; ".join(item.why),
        )
        for item in days[max(end - last, 0) : end]
    ]
    header = ("day", "page views", "orders", "quarantined", "events", "views", "sessions", "orders", "why")
    print_table(client, header, rows)
    after = days[end:]
    if after:
        kinds = {str(kind) for item in after for kind in item.arrival.values()}
        console.print(
            f"  {after[0].day} to {after[-1].day}: {len(after)} days without rows "
            f"({', '.join(sorted(kinds))})",
            highlight=False,
        )


def _day_json(item: DayStatus) -> dict[str, Any]:
    return {
        "day": item.day,
        "arrival": {str(dataset): str(arrival) for dataset, arrival in item.arrival.items()},
        "quarantined": item.quarantined,
        "events": str(item.readiness),
        "rows": item.rows,
        "why": item.why,
    }


def explain_day(
    context: typer.Context,
    client: str,
    day: datetime = typer.Argument(formats=["%Y-%m-%d"], help="The event day."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Which deliveries made a day, what was refused, superseded, de-duplicated, and what the checks said."""
    deployment = surroundings(context).deployment()
    (profile,) = deployment.profiles((client,))
    found = explain(deployment, profile, day.date())
    if as_json:
        print_json(_explanation_json(found))
        return
    for dataset, part in found.datasets.items():
        _print_dataset(found, dataset, part)
    if found.events is not None and found.events.wanted is not None:
        counts = ", ".join(f"{count} {table}" for table, count in found.events.counts.items())
        console.print(
            f"[bold]events[/]: {counts}; published {found.events.published_at:%Y-%m-%d %H:%M} UTC, "
            f"revision {found.events.revision}: {found.events.reason}",
            highlight=False,
        )
    else:
        console.print("[bold]events[/]: not published", highlight=False)
    if found.stale is not None:
        console.print(f"[yellow]stale[/]: {found.stale.why}", highlight=False)


def _print_dataset(found: Explanation, dataset: Dataset, part: DatasetExplanation) -> None:
    rows = [
        (
            item.delivery.source_key,
            item.delivery.delivery_day,
            item.delivery.delivery_id,
            item.rows,
            item.quarantined,
            "live" if item.live else "superseded",
        )
        for item in part.contributions
    ]
    header = ("file", "delivery day", "delivery", "rows", "quarantined", "")
    if rows:
        print_table(f"{dataset} of {found.client}, {found.event_day}", header, rows)
    else:
        say(f"{dataset} of {found.client}, {found.event_day}: no delivery brought rows for this day")
    for item in part.refused:
        say(f"  refused {item.source_key}: {item.reason}")
    for reason, count in part.quarantine.items():
        say(f"  {count} quarantined, {reason}")
    if part.staged is not None:
        say(
            f"  staged {part.staged.counts['rows']} rows, "
            f"{part.staged.counts['duplicates']} duplicates removed: {part.staged.reason}"
        )
    if part.verdict is None:
        return
    failed = part.verdict.failed()
    console.print(f"  {len(part.verdict.outcomes) - len(failed)} checks passed, {len(failed)} failed")
    for outcome in failed:
        rows_named = ", ".join(f"{row.delivery_id} row {row.row_number}" for row in outcome.samples)
        say(
            f"    {outcome.severity} {outcome.rule_id}: {outcome.observed}"
            + (f" (e.g. {rows_named})" if rows_named else "")
        )
        say(f"      {outcome.remedy}")
    if part.stored is not None and part.stored.accepted_by:
        say(f"  accepted by {part.stored.accepted_by}: {part.stored.accept_reason}")


def _explanation_json(found: Explanation) -> dict[str, Any]:
    return {
        "client": found.client,
        "event_day": found.event_day,
        "datasets": {
            str(dataset): {
                "deliveries": [
                    {
                        "file": item.delivery.source_key,
                        "delivery_day": item.delivery.delivery_day,
                        "delivery_id": item.delivery.delivery_id,
                        "rows": item.rows,
                        "quarantined": item.quarantined,
                        "live": item.live,
                    }
                    for item in part.contributions
                ],
                "refused": [{"file": item.source_key, "reason": item.reason} for item in part.refused],
                "quarantine": part.quarantine,
                "staged": part.staged.counts if part.staged else None,
                "verdict": part.verdict.to_json() if part.verdict else None,
                "accepted_by": part.stored.accepted_by if part.stored else None,
                "accept_reason": part.stored.accept_reason if part.stored else None,
            }
            for dataset, part in found.datasets.items()
        },
        "events": found.events.counts if found.events else None,
        "stale": str(found.stale.why) if found.stale else None,
    }


def sql(
    context: typer.Context,
    query: str = typer.Argument(help="A SELECT over the views that `symbiosys catalog` lists."),
    rows: int = typer.Option(100, min=0, max=MOST_ROWS, help="Rows printed at most."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Run a query over everything published."""
    import duckdb  # noqa: PLC0415 - only this command opens the catalogue

    warehouse = surroundings(context).settings.warehouse
    if not warehouse.exists():
        raise ConfigurationError(str(warehouse), ["no catalogue yet; run `symbiosys catalog` first"])
    if not query.strip():
        raise ConfigurationError("sql", ["an empty query; expected a SELECT"])
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute("SET TimeZone='UTC'")
            cursor = connection.execute(query)
            header = _distinct([column[0] for column in cursor.description or ()])
            found = cursor.fetchmany(rows + 1)
    except duckdb.Error as error:
        advice = "`symbiosys catalog` rebuilds the views and lists them"
        raise ConfigurationError("sql", [f"{error}\n{advice}"]) from error
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in found[:rows]])
        return
    print_table("", header, found[:rows])
    if len(found) > rows:
        console.print(f"only the first {rows} rows are shown; --rows shows more", highlight=False)


def _distinct(names: list[str]) -> list[str]:
    """Column names with a number where one repeats, so that none is lost as a key."""
    return [
        name if names.index(name) == place else f"{name}_{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
