"""`symbiosys demo`: two invented clients, four waves of deliveries, and the result beside the known truth."""

import shutil
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
from rich.text import Text

from symbiosys_pipeline.commands.running import print_run, run_now
from symbiosys_pipeline.commands.surroundings import Surroundings, console, print_table
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.demo import ClientTruth, demo_truth, demo_waves
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.settings import PACKAGE, Settings

_MARK = ".symbiosys-demo"
_MEASURES = ("page_views", "sessions", "orders", "order_lines", "revenue")

_COUNTS = """
SELECT 'page_views' AS measure, event_day, count(*)::DECIMAL(18, 4) AS value
FROM page_views WHERE client = $client GROUP BY event_day
UNION ALL SELECT 'sessions', event_day, count(*) FROM sessions WHERE client = $client GROUP BY event_day
UNION ALL SELECT 'orders', event_day, count(*) FROM orders WHERE client = $client GROUP BY event_day
UNION ALL SELECT 'order_lines', event_day, count(*) FROM order_lines WHERE client = $client GROUP BY event_day
UNION ALL SELECT 'revenue', event_day, coalesce(sum(revenue), 0) FROM orders WHERE client = $client
GROUP BY event_day
"""


def demonstrate(home: Path) -> bool:
    """Run the demo in a folder of its own; True when every figure equals the truth.

    Raises:
        ConfigurationError: The folder holds something that is not an earlier demo.
    """
    work = Surroundings(_fresh(home))
    for number, wave in enumerate(demo_waves(), start=1):
        console.rule(f"wave {number}: {wave.name.replace('_', ' ')}")
        console.print(wave.explanation, highlight=False)
        wave.write(work.settings.home / "source")
        for result in run_now(work):
            print_run(result)
            if result.errors:
                return False
    console.rule("the result beside the known truth")
    exact = [_compare(work, client, truth) for client, truth in demo_truth().clients.items()]
    _say_what_next(work.settings)
    return all(exact)


def _fresh(home: Path) -> Settings:
    if home.exists() and any(home.iterdir()):
        if not (home / _MARK).exists():
            raise ConfigurationError(
                str(home), ["holds something that is not a demo; expected an empty or absent folder"]
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARK).touch()
    shutil.copytree(PACKAGE / "demo" / "clients", home / "clients")
    (home / "source").mkdir()
    return Settings.at(home, clients=home / "clients")


def _compare(work: Surroundings, client: str, truth: ClientTruth) -> bool:
    published = _published(work.settings, client)
    rows: list[tuple[object, ...]] = []
    exact = True
    for day, expected in sorted(truth.days.items()):
        cells: list[object] = [day]
        for measure in _MEASURES:
            found = published.get((measure, day), Decimal(0))
            wanted = Decimal(getattr(expected, measure))
            exact = exact and found == wanted
            shown = f"{found:,.2f}" if measure == "revenue" else f"{int(found):,}"
            differs = Text(f"{shown} (truth: {wanted:,})", style="bold red")
            cells.append(shown if found == wanted else differs)
        rows.append(tuple(cells))
    exact = exact and {day for _, day in published} <= set(truth.days)
    print_table(client, ("event day", *_MEASURES), rows)
    refused = _quarantined(work, client)
    for dataset in Dataset:
        wanted_reasons = {reason: count for reason, count in truth.quarantined[dataset].items() if count}
        found_reasons = refused.get(str(dataset), {})
        same = found_reasons == wanted_reasons
        exact = exact and same
        listed = ", ".join(f"{reason} {count}" for reason, count in sorted(found_reasons.items()))
        verdict = "as planted" if same else f"[bold red]truth: {wanted_reasons}[/]"
        console.print(f"  {dataset} quarantined: {listed or 'none'} ({verdict})", highlight=False)
    console.print(
        "  [green]every figure equals the truth[/]" if exact else "  [bold red]differs from the truth[/]"
    )
    return exact


def _published(settings: Settings, client: str) -> dict[tuple[str, date], Decimal]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        rows = connection.execute(_COUNTS, {"client": client}).fetchall()
    return {(measure, day): value for measure, day, value in rows}


def _quarantined(work: Surroundings, client: str) -> dict[str, dict[str, int]]:
    query = "SELECT dataset, reason, count(*) FROM quarantine WHERE client = $client GROUP BY ALL"
    with duckdb.connect(str(work.settings.warehouse), read_only=True) as connection:
        rows = connection.execute(query, {"client": client}).fetchall()
    found: dict[str, dict[str, int]] = {}
    for dataset, reason, count in rows:
        found.setdefault(dataset, {})[reason] = count
    return found


def _say_what_next(settings: Settings) -> None:
    command = f"{_program()} --home {settings.home} --clients {settings.clients}"
    console.rule("what next")
    for text, shown in {
        "open the Dagster UI on this data": "make dev",
        "see every day": f"{command} status",
        "query the tables": (
            f"{command} sql 'SELECT client, event_day, count(*) FROM sessions GROUP BY ALL ORDER BY ALL'"
        ),
    }.items():
        console.print(f"{text}:\n    {shown}", highlight=False, soft_wrap=True, markup=False)


def _program() -> str:
    """How this program was called: `symbiosys` where it is on the path."""
    return "symbiosys" if shutil.which("symbiosys") else sys.argv[0]
