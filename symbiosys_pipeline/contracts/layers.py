"""The tables between landing and events: standardized and staging, as columns for people and as schemas."""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from symbiosys_pipeline.contracts.columns import TIMESTAMP, Dataset, TableColumn
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.tables import PUBLISHED_TIMESTAMP

_ORIGIN = (
    TableColumn("event_day", pl.Date(), "The client's local day of the event; the partition."),
    TableColumn("delivery_id", pl.String(), "The delivery the row came in."),
    TableColumn("row_number", pl.Int64(), "Its data record in the delivered file, from 1."),
)
_LINE_NUMBER = TableColumn("line_number", pl.Int32(), "The line's place in its row, or in its order, from 1.")
_OCCURRENCE = (
    TableColumn("variant", pl.Int32(), "1; counts on where different orders share one order_id."),
    TableColumn("is_collision", pl.Boolean(), "True where another order has the same order_id."),
)


def _contract(dataset: Dataset) -> tuple[TableColumn, ...]:
    return tuple(
        TableColumn(column.name, column.dtype, column.description) for column in SCHEMAS[dataset].columns
    )


def _as_published(columns: tuple[TableColumn, ...]) -> tuple[TableColumn, ...]:
    """The columns as DuckDB writes them: an instant in microseconds, its value whole milliseconds."""
    return tuple(
        replace(column, dtype=PUBLISHED_TIMESTAMP) if column.dtype == TIMESTAMP else column
        for column in columns
    )


#: One delivery's rows of one event day; orders as one row per line.
STANDARDIZED_TABLES: dict[Dataset, tuple[TableColumn, ...]] = {
    Dataset.PAGE_VIEWS: (*_contract(Dataset.PAGE_VIEWS), *_ORIGIN),
    Dataset.ORDERS: (*_contract(Dataset.ORDERS), *_ORIGIN, _LINE_NUMBER),
}

#: One client's event day, de-duplicated; orders as one row per line.
STAGING_TABLES: dict[Dataset, tuple[TableColumn, ...]] = {
    Dataset.PAGE_VIEWS: _as_published(STANDARDIZED_TABLES[Dataset.PAGE_VIEWS]),
    Dataset.ORDERS: (*_as_published(STANDARDIZED_TABLES[Dataset.ORDERS]), *_OCCURRENCE),
}


def standardized_schema(dataset: Dataset) -> pl.Schema:
    """The polars schema of a standardized slice."""
    return schema_of(STANDARDIZED_TABLES[dataset])


def staging_schema(dataset: Dataset) -> pl.Schema:
    """The polars schema of a staged day."""
    return schema_of(STAGING_TABLES[dataset])


def schema_of(columns: Iterable[TableColumn]) -> pl.Schema:
    """The polars schema of a table."""
    return pl.Schema({column.name: column.dtype for column in columns})
