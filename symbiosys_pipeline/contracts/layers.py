"""The tables between landing and events: standardized and staging, as columns for people and as schemas."""

from collections.abc import Iterable

import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset, TableColumn
from symbiosys_pipeline.contracts.datasets import SCHEMAS

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


#: One delivery's rows of one event day; orders as one row per line.
STANDARDIZED_TABLES: dict[Dataset, tuple[TableColumn, ...]] = {
    Dataset.PAGE_VIEWS: (*_contract(Dataset.PAGE_VIEWS), *_ORIGIN),
    Dataset.ORDERS: (*_contract(Dataset.ORDERS), *_ORIGIN, _LINE_NUMBER),
}

#: One client's event day, de-duplicated; orders as one row per line.
STAGING_TABLES: dict[Dataset, tuple[TableColumn, ...]] = {
    Dataset.PAGE_VIEWS: STANDARDIZED_TABLES[Dataset.PAGE_VIEWS],
    Dataset.ORDERS: (*STANDARDIZED_TABLES[Dataset.ORDERS], *_OCCURRENCE),
}


def schema_of(columns: Iterable[TableColumn]) -> pl.Schema:
    """The polars schema of a table."""
    return pl.Schema({column.name: column.dtype for column in columns})
