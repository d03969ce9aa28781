"""Small invented shops for the Dagster tests: deliveries written by hand, every expected figure countable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from symbiosys_pipeline.assets.keys import delivery_keys, event_day_keys
from symbiosys_pipeline.automation.requests import Axis, DayRange
from symbiosys_pipeline.clients import load_profile
from symbiosys_pipeline.components.retail_client import client_definitions
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.settings import Settings

VIEW_HEADER = "event_ts,visitor_id,session_id,page_url,hashed_email"
ORDER_HEADER = "order_id,event_ts,visitor_id,product_id,quantity,regular_unit_price,discount_unit_price"

#: A person's address hash: allowed in the tables, never to be seen in the UI.
EMAIL_HASH = "a" * 64

_DEFS = """\
type: symbiosys_pipeline.components.RetailClient
attributes:
  client: {client}
  title: {client} shop
  time_zone: {zone}
  start_date: 2026-01-01
  currency: EUR
  owners: ["team:{client}", "ops@shop.example"]
  page_views:
    sources:
      - location: source/{client}
        pattern: visits_{{YYYYMMDD}}.csv
  orders:
    discount_meaning: net_price
    sources:
      - location: source/{client}
        pattern: orders_{{YYYYMMDD}}.csv
"""


def at(day: int, clock: str) -> str:
    """Epoch milliseconds of a UTC time of January 2026."""
    moment = datetime.fromisoformat(f"2026-01-{day:02d}T{clock}").replace(tzinfo=UTC)
    return str(int(moment.timestamp() * 1000))


def view(day: int, clock: str, visitor: str, page: str = "/") -> str:
    """One page view of the visitor's session of that day."""
    session = f"{visitor}.{day}" if visitor else f"s.{day}"
    return f"{at(day, clock)},{visitor},{session},https://shop.example{page},{EMAIL_HASH}"


def order(day: int, clock: str, visitor: str, order_id: str, price: str = "10.00", quantity: int = 2) -> str:
    """One order of one line."""
    return f"{order_id},{at(day, clock)},{visitor},p1,{quantity},{price},"


def write_client(folder: Path, client: str, *, zone: str = "UTC") -> Path:
    """The client's `defs.yaml` below a folder of clients."""
    file = folder / client / "defs.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(_DEFS.format(client=client, zone=zone), encoding="utf-8")
    return file


@dataclass(frozen=True)
class Shop:
    """One client in a home of its own (or a shared one), with definitions and an instance."""

    settings: Settings
    client: str
    instance: dg.DagsterInstance
    profile: ClientProfile
    definitions: dg.Definitions = field(repr=False)

    @classmethod
    def open(cls, home: Path, instance: dg.DagsterInstance, *, client: str = "acme") -> "Shop":
        """A new shop below a home."""
        settings = Settings.at(home, clients=home / "clients")
        profile = load_profile(write_client(settings.clients, client))
        (home / "source" / client).mkdir(parents=True)
        shared = dg.Definitions(
            resources={"deployment": dg.ResourceDefinition(lambda _: Deployment.open(settings))},
            executor=dg.in_process_executor,
        )
        return cls(
            settings, client, instance, profile, dg.Definitions.merge(client_definitions(profile), shared)
        )

    @property
    def deployment(self) -> Deployment:
        """The shop's lake and ledger."""
        return Deployment.open(self.settings)

    def views(self, day: int, rows: Iterable[str], *, header: str = VIEW_HEADER) -> None:
        """Deliver the page views of a delivery day of January 2026, replacing what was delivered."""
        self._write(f"visits_202601{day:02d}.csv", header, rows)

    def orders(self, day: int, rows: Iterable[str]) -> None:
        """Deliver the orders of a delivery day of January 2026."""
        self._write(f"orders_202601{day:02d}.csv", ORDER_HEADER, rows)

    def _write(self, name: str, header: str, rows: Iterable[str]) -> None:
        file = self.settings.home / "source" / self.client / name
        file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")

    def run(
        self,
        axis: Axis,
        first: int,
        last: int,
        *,
        everything: bool = False,
        keys: Sequence[dg.AssetKey] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """A run over days of January 2026 as the sensors request it, or as a person does."""
        tags = DayRange(date(2026, 1, first), date(2026, 1, last)).tags(self.client, axis)
        if everything:
            tags = {name: value for name, value in tags.items() if name.startswith("dagster/")}
        all_keys = delivery_keys if axis is Axis.DELIVERIES else event_day_keys
        return self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=list(keys or all_keys(self.client)),
            tags=tags,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def recorded(result: dg.ExecuteInProcessResult) -> dict[str, list[str]]:
    """The days of January 2026 a run recorded, per asset without its client."""
    days: dict[str, list[str]] = {}
    for event in result.filter_events(lambda event: event.is_step_materialization):
        name = "/".join(event.asset_key.path[1:])
        days.setdefault(name, []).append(event.partition)
    return days


def metadata_of(shop: Shop, key: dg.AssetKey, day: str) -> dict[str, object]:
    """The metadata of the newest materialization of one day."""
    records = shop.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}


def evaluations(shop: Shop, key: dg.AssetKey, check: str) -> list[dg.AssetCheckEvaluation]:
    """What a check said, newest first; fails where one of its executions never got an answer."""
    history = shop.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key, check), limit=50
    )
    found: list[dg.AssetCheckEvaluation] = []
    for record in history:
        assert record.event is not None, f"{check}: {record.status} without an evaluation"
        event = record.event.dagster_event
        assert event is not None
        assert isinstance(event.event_specific_data, dg.AssetCheckEvaluation)
        assert event.event_specific_data.partition == record.partition
        found.append(event.event_specific_data)
    return found
