"""From YAML to definitions: what a client becomes, and how a wrong file is told."""

from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing import create_defs_folder_sandbox

from symbiosys_pipeline.assets.keys import delivery_keys, event_day_keys, staging_key, standardized_key
from symbiosys_pipeline.components.retail_client import definitions_of_folder
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.definitions import build_definitions
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.quality.rules import rules_for
from symbiosys_pipeline.settings import PACKAGE, Settings
from symbiosys_pipeline_tests.assets.shops import write_client

DEMO = {"lunaverre": "Europe/Paris", "tallpine_goods": "America/New_York"}
LAYERS = {
    "landing": ["orders", "page_views"],
    "standardized": ["orders", "page_views"],
    "quarantine": ["orders", "page_views"],
    "staging": ["orders", "page_views"],
    "events": ["order_lines", "orders", "page_views", "sessions"],
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> dg.RepositoryDefinition:
    home = tmp_path_factory.mktemp("home")
    settings = Settings.at(home, clients=PACKAGE / "demo" / "clients")
    repository = build_definitions(settings).get_repository_def()
    assert list(home.iterdir()) == [], "loading definitions writes nothing"
    return repository


@pytest.mark.parametrize("client", DEMO)
def test_a_client_becomes_its_assets(repository: dg.RepositoryDefinition, client: str) -> None:
    graph = repository.asset_graph
    found: dict[str, list[str]] = {}
    for key in sorted(graph.get_all_asset_keys()):
        if key.path[0] == client:
            found.setdefault(key.path[1], []).append("/".join(key.path[2:]))
    assert found == LAYERS
    for key in (*delivery_keys(client), *event_day_keys(client)):
        node = graph.get(key)
        assert node.group_name == client
        assert node.owners == ["team:demo"]
        assert node.tags["client"] == client
        assert node.description
        partitions = node.partitions_def
        assert isinstance(partitions, dg.DailyPartitionsDefinition)
        assert str(partitions.timezone) == DEMO[client]
        assert partitions.get_first_partition_key() == "2026-11-10"
        assert partitions.end_offset == 1, "today is a day too: files of today hold today's events"


@pytest.mark.parametrize("client", DEMO)
def test_a_client_has_one_check_per_rule(repository: dg.RepositoryDefinition, client: str) -> None:
    found = {(key.asset_key, key.name) for key in repository.asset_graph.asset_check_keys}
    expected = {
        (staging_key(client, dataset), rule.id) for dataset in Dataset for rule in rules_for(dataset)
    } | {
        (standardized_key(client, dataset), name)
        for dataset in Dataset
        for name in ("no_refused_delivery", "rows_are_sound", "mapped_columns_present")
    }
    assert {pair for pair in found if pair[0].path[0] == client} == expected


def test_event_tables_carry_the_contract_s_columns(repository: dg.RepositoryDefinition) -> None:
    node = repository.asset_graph.get(dg.AssetKey(["lunaverre", "events", "sessions"]))
    columns = {column.name: column for column in node.metadata["dagster/column_schema"].columns}
    # CONTRACT 8 names these of a session.
    assert {"session_id", "views", "orders", "revenue", "split_reason"} <= set(columns)
    assert all(column.description for column in columns.values())


def test_sensors_schedules_and_no_job_per_client(repository: dg.RepositoryDefinition) -> None:
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert set(sensors) == {*(f"{client}_deliveries" for client in DEMO), "reconciler"}
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in sensors.values())
    schedules = {schedule.name: schedule.default_status for schedule in repository.schedule_defs}
    running = dg.DefaultScheduleStatus.RUNNING
    assert schedules == {"catalogue_hourly": running, "client_health_daily": running}
    assert [name for name in repository.job_names if any(client in name for client in DEMO)] == []


def test_an_event_day_is_made_of_its_deliveries_and_of_as_many_days_as_rows_may_be_late(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    upstream = graph.get_partition_mapping(
        staging_key("lunaverre", Dataset.ORDERS), standardized_key("lunaverre", Dataset.ORDERS)
    )
    assert isinstance(upstream, dg.TimeWindowPartitionMapping)
    # CONTRACT 3: events of earlier days, normally up to 3.
    assert (upstream.start_offset, upstream.end_offset) == (0, 3)


WRONG = ("currency: EUR", "currency: euro")


def _wrong_client(folder: Path) -> Path:
    file = write_client(folder, "acme")
    file.write_text(file.read_text().replace(*WRONG))
    return file


def test_a_wrong_file_of_a_deployment_s_folder_is_told_with_its_line_and_field(tmp_path: Path) -> None:
    file = _wrong_client(tmp_path / "clients")
    with pytest.raises(ConfigurationError) as caught:
        build_definitions(Settings.at(tmp_path / "home", clients=tmp_path / "clients"))
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(f"{file}:7: attributes.currency: 'euro': ")


#: Dagster's own loader of components warns of itself.
DAGSTERS_OWN = (
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
)


@DAGSTERS_OWN[0]
@DAGSTERS_OWN[1]
def test_a_wrong_file_of_a_defs_folder_is_told_with_its_line_and_field() -> None:
    with create_defs_folder_sandbox() as sandbox:
        file = _wrong_client(sandbox.defs_folder_path / "clients")
        with pytest.raises(ComponentTreeException) as caught, sandbox.build_all_defs():
            pass
    assert f"{file}:7: attributes.currency: 'euro': " in _whole_story(caught.value)


def _whole_story(error: BaseException | None) -> str:
    """What an error and those behind it say, as Dagster shows them one below the other."""
    return "" if error is None else f"{error}\n{_whole_story(error.__cause__ or error.__context__)}"


@DAGSTERS_OWN[0]
@DAGSTERS_OWN[1]
def test_a_client_of_a_defs_folder_is_the_client_of_a_deployment_s_folder(tmp_path: Path) -> None:
    write_client(tmp_path, "acme")
    other = _with_deployment(definitions_of_folder(tmp_path)).get_repository_def()
    with create_defs_folder_sandbox() as sandbox:
        write_client(sandbox.defs_folder_path / "clients", "acme")
        with sandbox.build_all_defs() as found:
            one = _with_deployment(found).get_repository_def()
    assert one.asset_graph.get_all_asset_keys() == other.asset_graph.get_all_asset_keys()
    assert one.asset_graph.asset_check_keys == other.asset_graph.asset_check_keys


def _with_deployment(definitions: dg.Definitions) -> dg.Definitions:
    """The definitions with the resource they need; nothing is run."""
    return dg.Definitions.merge(definitions, dg.Definitions(resources={"deployment": None}))


def test_two_hundred_clients_load(tmp_path: Path) -> None:
    for number in range(200):
        write_client(tmp_path, f"shop_{number:03d}")
    repository = _with_deployment(definitions_of_folder(tmp_path)).get_repository_def()
    assert len(repository.asset_graph.get_all_asset_keys()) == 200 * sum(map(len, LAYERS.values()))
    assert len(repository.sensor_defs) == 200
    assert len(repository.asset_graph.asset_check_keys) == 200 * (
        sum(len(rules_for(dataset)) for dataset in Dataset) + 6
    )
