"""`warehouse.duckdb`: a catalogue of views for people. It holds no rows and is swapped in whole."""

import os
from collections.abc import Sequence

import duckdb
import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset, TableColumn
from symbiosys_pipeline.contracts.layers import STAGING_TABLES
from symbiosys_pipeline.contracts.tables import EVENT_TABLES, TABLES, Table
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.storage.parquet import literal

_CLIENT = TableColumn("client", pl.String(), "The client's short name.")
_DATASET = TableColumn("dataset", pl.String(), "`page_views` or `orders`.")


_SQL_TYPES = {
    "String": "VARCHAR",
    "Int64": "BIGINT",
    "Int32": "INTEGER",
    "Date": "DATE",
    "Boolean": "BOOLEAN",
}


def rebuild_catalogue(deployment: Deployment) -> list[str]:
    """Rebuild the catalogue beside the old one and put it in its place.

    DuckDB lets a writer and readers of one file not coexist, so readers keep the file they opened.

    Returns:
        The names of the views: the event tables, `quarantine`, and `staging.<dataset>`.
    """
    target = deployment.settings.warehouse
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    columns: dict[str, tuple[TableColumn, ...]] = {}
    with duckdb.connect(str(fresh)) as connection:
        connection.execute("CREATE SCHEMA staging")
        for table in EVENT_TABLES:
            columns[str(table)] = TABLES[table]
            _partitioned_view(connection, deployment, str(table), f"events/{table}", TABLES[table])
        for dataset in Dataset:
            name = f"staging.{dataset}"
            columns[name] = STAGING_TABLES[dataset]
            _partitioned_view(connection, deployment, name, f"staging/{dataset}", STAGING_TABLES[dataset])
        columns["quarantine"] = (_DATASET, *TABLES[Table.QUARANTINE])
        _quarantine_view(connection, deployment, TABLES[Table.QUARANTINE])
        for view, described in columns.items():
            _describe(connection, view, (_CLIENT, *described))
    fresh.replace(target)
    return list(columns)


def _partitioned_view(
    connection: duckdb.DuckDBPyConnection,
    deployment: Deployment,
    view: str,
    folder: str,
    columns: Sequence[TableColumn],
) -> None:
    """A view over a glob, so that days published later are in it without another rebuild."""
    if next(deployment.lake.list(folder, "data.parquet"), None) is None:
        _empty_view(connection, view, columns)
        return
    glob = literal(deployment.lake.uri(f"{folder}/client=*/event_day=*/data.parquet"))
    listed = ", ".join(f'"{column.name}"' for column in columns)
    connection.execute(
        f"CREATE VIEW {view} AS SELECT client, {listed} FROM read_parquet({glob}, hive_partitioning = true, "
        "hive_types = {'client': VARCHAR, 'event_day': DATE})"
    )


def _quarantine_view(
    connection: duckdb.DuckDBPyConnection, deployment: Deployment, columns: Sequence[TableColumn]
) -> None:
    """The refused rows of live deliveries only: a superseded generation's refusals are history."""
    deliveries = deployment.ledger.deliveries
    files = sorted(
        {
            deployment.lake.uri(delivery.quarantine_key)
            for client in deliveries.clients()
            for dataset in Dataset
            for delivery in deliveries.live(client, dataset)
            if delivery.quarantine_key is not None
        }
    )
    if not files:
        _empty_view(connection, "quarantine", (_DATASET, *columns))
        return
    listed = ", ".join(literal(file) for file in files)
    connection.execute(
        f"CREATE VIEW quarantine AS SELECT client, dataset, {', '.join(column.name for column in columns)} "
        f"FROM read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"
    )


def _empty_view(connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[TableColumn]) -> None:
    typed = ", ".join(f'NULL::{_sql_type(column.dtype)} AS "{column.name}"' for column in columns)
    connection.execute(f"CREATE VIEW {view} AS SELECT NULL::VARCHAR AS client, {typed} WHERE false")


def _sql_type(dtype: pl.DataType) -> str:
    match dtype:
        case pl.Datetime():
            return "TIMESTAMPTZ"
        case pl.Decimal():
            return f"DECIMAL({dtype.precision}, {dtype.scale})"
        case pl.List():
            return "VARCHAR[]"
        case _:
            return _SQL_TYPES[str(dtype)]


def _describe(connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[TableColumn]) -> None:
    for column in columns:
        text = literal(column.description)
        connection.execute(f'COMMENT ON COLUMN {view}."{column.name}" IS {text}')
