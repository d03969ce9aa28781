"""`symbiosys clients`: list, check and add client profiles."""

from datetime import UTC, datetime

import typer

from symbiosys_pipeline.commands.surroundings import (
    JSON_OPTION,
    console,
    print_json,
    print_table,
    say,
    say_no_clients,
    surroundings,
)
from symbiosys_pipeline.contracts.columns import Dataset

app = typer.Typer(help="Client profiles: list, check, add.", no_args_is_help=True)


@app.command("list")
def list_clients(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Every client of this deployment and where its data comes from."""
    profiles = surroundings(context).deployment().profiles()
    header = ("client", "title", "time zone", "since", "page views from", "orders from")
    rows = [
        (
            profile.client,
            profile.title,
            profile.time_zone,
            profile.start_date,
            *(
                ", ".join(f"{source.location}/{source.pattern}" for source in profile.sources(dataset))
                for dataset in Dataset
            ),
        )
        for profile in profiles
    ]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table("clients", header, rows)


@app.command()
def check(
    context: typer.Context,
    clients: list[str] | None = typer.Argument(None, help="Clients; all when none is named."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Every mistake of the profiles, then a trial of each source: access, names, header, a sample of rows."""
    from symbiosys_pipeline.clients import folder_mistakes  # noqa: PLC0415
    from symbiosys_pipeline.steps.trial import try_client  # noqa: PLC0415

    work = surroundings(context)
    found = folder_mistakes(work.settings.clients)
    wrong = [item for item in found if not clients or item.file.parent.name in clients]
    findings = [
        {
            "client": item.file.parent.name,
            "ok": False,
            "where": f"{item.file}:{item.line}",
            "what": str(item),
        }
        for item in wrong
    ]
    if not wrong:
        deployment = work.deployment()
        for profile in deployment.profiles(tuple(clients or ())):
            findings += [vars(finding) for finding in try_client(deployment, profile)]
    if as_json:
        print_json(findings)
    else:
        for item in findings:
            mark = "[green]ok[/]   " if item["ok"] else "[bold red]wrong[/]"
            console.print(f"{mark} ", end="", highlight=False)
            say(f"{item['client']}: {item['where']}: {item['what']}")
        if not findings:
            say_no_clients(work)
    if any(not item["ok"] for item in findings):
        raise typer.Exit(1)


@app.command()
def add(
    context: typer.Context,
    client: str = typer.Argument(help="Short name: lower-case letters, digits, _."),
    location: str = typer.Option(..., help="Folder of the client's deliveries."),
    page_views: str = typer.Option(..., help="Pattern, e.g. visits/acme_visits_{YYYYMMDD}.csv.gz"),
    orders: str = typer.Option(..., help="Pattern, e.g. orders/acme_orders_{YYYYMMDD}.csv.gz"),
    owner: str = typer.Option(..., help="team:NAME or an e-mail address."),
    start_date: datetime = typer.Option(..., formats=["%Y-%m-%d"], help="First day."),
    time_zone: str = typer.Option("UTC", help="IANA zone of the client's days."),
    currency: str = typer.Option("USD", help="ISO 4217."),
    title: str = typer.Option("", help="The retailer's name."),
) -> None:
    """Propose a mapping from the headers of the newest files and write a profile to finish by hand."""
    from symbiosys_pipeline.steps.propose import Wanted, propose_profile  # noqa: PLC0415

    work = surroundings(context)
    wanted = Wanted(
        client=client,
        title=title,
        location=location,
        patterns={Dataset.PAGE_VIEWS: page_views, Dataset.ORDERS: orders},
        owner=owner,
        start_date=start_date.replace(tzinfo=UTC).date(),
        time_zone=time_zone,
        currency=currency,
    )
    proposal = propose_profile(work.settings, wanted)
    say(f"wrote {proposal.file}")
    for remark in proposal.remarks:
        say(f"  {remark}")
    say(f"next: symbiosys clients check {client}")
