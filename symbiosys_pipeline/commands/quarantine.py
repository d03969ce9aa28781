"""`symbiosys quarantine`: what was refused and why, and sending it through again after a repair."""

import polars as pl
import typer

from symbiosys_pipeline.commands.running import print_run, run_now
from symbiosys_pipeline.commands.surroundings import (
    JSON_OPTION,
    MOST_ROWS,
    console,
    print_json,
    print_table,
    surroundings,
)
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState

app = typer.Typer(help="Refused rows and deliveries: list, show, replay.", no_args_is_help=True)


def _affected(deployment: Deployment, client: str) -> list[Delivery]:
    """The deliveries of a client that were refused: whole, or in part where their other rows are live."""
    ledger = deployment.ledger.deliveries
    found: list[Delivery] = []
    for dataset in Dataset:
        found += [item for item in ledger.current(client, dataset) if item.state is DeliveryState.REFUSED]
        found += [item for item in ledger.live(client, dataset) if item.quarantine_key is not None]
    return found


def _rows(deployment: Deployment, key: str) -> pl.LazyFrame:
    return pl.scan_parquet(deployment.lake.uri(key), hive_partitioning=False)


@app.command("list")
def list_refused(context: typer.Context, client: str, as_json: bool = JSON_OPTION) -> None:
    """Refused deliveries, and refused rows by file, field and reason."""
    deployment = surroundings(context).deployment()
    deployment.profiles((client,))
    listed: list[tuple[object, ...]] = []
    for delivery in _affected(deployment, client):
        common = (delivery.source_key, delivery.delivery_id)
        if delivery.state is DeliveryState.REFUSED:
            listed.append((*common, "(whole delivery)", delivery.reason_code, delivery.reason))
            continue
        if delivery.quarantine_key is None:
            continue
        rows = _rows(deployment, delivery.quarantine_key)
        counted = rows.group_by("field", "reason").len().sort("field", "reason").collect()
        listed += [
            (*common, field or "(record)", reason, f"{count} rows")
            for field, reason, count in counted.iter_rows()
        ]
    header = ("file", "delivery", "field", "reason", "what")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in listed])
    else:
        print_table(f"refused by {client}'s contract", header, listed)


@app.command()
def show(
    context: typer.Context,
    client: str,
    delivery: str | None = typer.Option(None, help="Only this delivery."),
    reason: str | None = typer.Option(None, help="Only this reason."),
    rows: int = typer.Option(20, min=0, max=MOST_ROWS, help="Rows printed at most."),
    as_json: bool = JSON_OPTION,
) -> None:
    """The refused rows themselves, personal data masked."""
    deployment = surroundings(context).deployment()
    deployment.profiles((client,))
    shown: list[dict[str, object]] = []
    found = 0
    for item in _affected(deployment, client):
        if item.quarantine_key is None or (delivery is not None and item.delivery_id != delivery):
            continue
        refused = _rows(deployment, item.quarantine_key)
        if reason is not None:
            refused = refused.filter(pl.col("reason") == reason)
        found += int(refused.select(pl.len()).collect().item())
        few = refused.head(rows - len(shown)).collect().iter_rows(named=True)
        shown.extend({"file": item.source_key, **row} for row in few)
    if as_json:
        print_json(shown)
        return
    header = ("file", "row", "field", "reason", "text")
    print_table(
        "",
        header,
        [(row["file"], row["row_number"], row["field"], row["reason"], row["text"]) for row in shown],
    )
    if found > len(shown):
        console.print(f"{found - len(shown)} more rows; --rows shows more", highlight=False)


@app.command()
def replay(context: typer.Context, client: str, as_json: bool = JSON_OPTION) -> None:
    """Read every refused delivery, and every one with refused rows, again from landing; then rebuild.

    For after a repair: of the client's profile, or of this program. A repaired file needs no replay.
    """
    from symbiosys_pipeline.automation.local_run import read_again  # noqa: PLC0415 - imports Dagster
    from symbiosys_pipeline.definitions import build_client_definitions  # noqa: PLC0415

    work = surroundings(context)
    deployment = work.deployment()
    (profile,) = deployment.profiles((client,))
    before = {item.delivery_id: item for item in _affected(deployment, client)}
    with work.instance() as instance:
        definitions = build_client_definitions(work.settings, (profile,))
        days = {item.delivery_day for item in before.values()}
        failures = read_again(definitions, instance, profile, days)
    results = run_now(work, (client,))
    ledger = deployment.ledger.deliveries
    outcome = [
        {
            "file": item.source_key,
            "before": f"{item.state}, {item.rows_quarantined or 0} rows quarantined",
            "now": f"{now.state}, {now.rows_quarantined or 0} rows quarantined",
        }
        for item in before.values()
        if (now := ledger.get(item.delivery_id)) is not None
    ]
    if as_json:
        print_json({"replayed": outcome, "errors": failures})
    else:
        print_table("replayed", ("file", "before", "now"), [tuple(item.values()) for item in outcome])
        for result in results:
            print_run(result)
    if failures:
        raise typer.Exit(1)
