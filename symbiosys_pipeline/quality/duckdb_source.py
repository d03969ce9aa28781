"""Great Expectations inside DuckDB: an engine, a data source and one session for the whole process.

Importing this module imports Great Expectations: import it where it is needed, after `gx_loading`.

Great Expectations 1.24 has no DuckDB engine. This one leans on these internals, so the version is pinned
exactly and a test runs every expectation type of the catalogue:

* `SqlAlchemyExecutionEngine.get_connection` is the only way metrics reach the database. The original
  fetches results after closing its connection, which DuckDB forbids; here one connection stays open.
* `SqlAlchemyExecutionEngine.dialect_module` chooses SQL idioms (the regular expression operator, for one):
  DuckDB speaks PostgreSQL's.
* `SQLDatasource.execution_engine_type` and the `type` literal make it a fluent data source,
  `context.data_sources.add_duckdb`.
* A query asset reads its query anew for every batch: it names a table, and the table is replaced per day.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, cast

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.dialects import postgresql

from symbiosys_pipeline.quality.rule import Batch

#: Counts and nothing else: no list of unexpected values, no rows, no query text with values.
_COUNTS_ONLY: dict[str, Any] = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Great Expectations' SQL engine over one DuckDB connection that stays open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]
        self.dialect_module = postgresql
        self._open: sa.Connection | None = None

    @contextmanager
    def get_connection(self) -> Generator[sa.Connection]:
        """The one connection."""
        if self._open is None:
            self._open = self.engine.connect()
        yield self._open


#: Named here because inside the data source `type` is a field.
_EngineType = type[DuckDBExecutionEngine]


class DuckDBDatasource(SQLDatasource):
    """A fluent data source whose engine is `DuckDBExecutionEngine`."""

    type: Literal["duckdb"] = "duckdb"  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def execution_engine_type(self) -> _EngineType:
        """The engine Great Expectations creates for this source."""
        return DuckDBExecutionEngine


class QualitySession:
    """One in-memory DuckDB with Great Expectations on top. Not safe for use by two threads at a time."""

    def __init__(self, *, memory_limit: str, spill_folder: str) -> None:
        # Great Expectations' types know no DuckDB source.
        context = cast(Any, gx).get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(),
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )
        source: Any = context.data_sources.add_duckdb(
            name="day",
            connection_string="duckdb:///:memory:",
            # StaticPool: an in-memory database lives in one connection. AUTOCOMMIT: a failed query must not
            # leave an aborted transaction behind, which would fail every rule after it.
            kwargs={"poolclass": sa.pool.StaticPool, "isolation_level": "AUTOCOMMIT"},
        )
        self._batches: dict[Batch, Any] = {
            batch: source.add_query_asset(
                batch.value,
                query=f"SELECT * FROM {batch.value}",
            ).add_batch_definition_whole_table("day")
            for batch in Batch
        }
        self._engine: DuckDBExecutionEngine = source.get_execution_engine()
        self.run("SET TimeZone = 'UTC'")
        self.run(f"SET memory_limit = '{memory_limit}'")
        self.run("SET temp_directory = '" + spill_folder.replace("'", "''") + "'")

    def run(self, statement: str) -> None:
        """Run a statement without a result; `sqlalchemy.exc.DBAPIError` when it fails."""
        with self._engine.get_connection() as connection:
            connection.exec_driver_sql(statement)

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """The result of a query; `sqlalchemy.exc.DBAPIError` when it fails."""
        with self._engine.get_connection() as connection:
            return connection.exec_driver_sql(query).fetchall()

    def replace_batch(self, batch: Batch, query: str) -> None:
        """Make the SELECT the content of a batch; `sqlalchemy.exc.DBAPIError` if it cannot be read."""
        # A table and not a view: Great Expectations asks two queries per rule, and each would read the files.
        self.run(f"CREATE OR REPLACE TEMP TABLE {batch.value} AS {query}")

    def drop_batches(self) -> None:
        """Give back the memory of the day."""
        for batch in Batch:
            self.run(f"DROP TABLE IF EXISTS {batch.value}")

    def validate(self, batch: Batch, suite: gx.ExpectationSuite) -> ExpectationSuiteValidationResult:
        """Run a suite over a batch's current content; the result holds counts, never values."""
        return self._batches[batch].get_batch().validate(suite, result_format=_COUNTS_ONLY)


@cache
def quality_session(memory_limit: str, spill_folder: str) -> QualitySession:
    """The process's session: opening one costs more than validating a small day."""
    return QualitySession(memory_limit=memory_limit, spill_folder=spill_folder)
