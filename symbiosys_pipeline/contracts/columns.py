"""The vocabulary every table is described with: a column's kind, need and dtype. No tables here."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

#: Money is decimal, never float (CONTRACT 2.2). Four decimal places hold every ISO 4217 minor unit.
MONEY = pl.Decimal(18, 4)

#: Timestamps are UTC with millisecond precision (CONTRACT 2.1).
TIMESTAMP = pl.Datetime("ms", "UTC")


class Dataset(StrEnum):
    """The two datasets a client sends (CONTRACT 1)."""

    PAGE_VIEWS = "page_views"
    ORDERS = "orders"


class Need(StrEnum):
    """How much the contract insists on a field."""

    REQUIRED = "required"
    EXPECTED = "expected"
    OPTIONAL = "optional"


class Kind(StrEnum):
    """What a field's text must parse as."""

    TIMESTAMP = "timestamp"
    IDENTIFIER = "identifier"
    TEXT = "text"
    URL = "url"
    SHA256 = "sha256"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CURRENCY = "currency"
    QUANTITY = "quantity"
    PRICE = "price"


class Level(StrEnum):
    """Whether an order's field belongs to the order or to one of its lines."""

    EVENT = "event"
    LINE = "line"


_DTYPES: dict[Kind, pl.DataType] = {
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.IDENTIFIER: pl.String(),
    Kind.TEXT: pl.String(),
    Kind.URL: pl.String(),
    Kind.SHA256: pl.String(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.CHOICE: pl.String(),
    Kind.CURRENCY: pl.String(),
    Kind.QUANTITY: pl.Int64(),
    Kind.PRICE: MONEY,
}


@dataclass(frozen=True)
class Column:
    """One field of the contract.

    Attributes:
        name: The contract's long name.
        kind: What its text must parse as; decides the dtype.
        need: Required fields that are missing send the row to quarantine.
        description: One sentence for people, with the unit.
        aliases: Other header names accepted without a mapping.
        choices: Allowed values of a `Kind.CHOICE`, lower case.
        default: Value where the client sends none.
        level: Whether the value belongs to the event or to one order line.
    """

    name: str
    kind: Kind
    need: Need
    description: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    default: str | bool | None = None
    level: Level = Level.EVENT

    @property
    def dtype(self) -> pl.DataType:
        """The polars dtype of the standardized column."""
        return _DTYPES[self.kind]


@dataclass(frozen=True)
class DatasetSchema:
    """All fields of one dataset, in the order they are stored."""

    dataset: Dataset
    columns: tuple[Column, ...]

    def names(self) -> tuple[str, ...]:
        """Field names in storage order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def needed(self, need: Need) -> tuple[Column, ...]:
        """The columns of one need, in storage order."""
        return tuple(column for column in self.columns if column.need is need)

    def of_level(self, level: Level) -> tuple[Column, ...]:
        """The columns of one level, in storage order."""
        return tuple(column for column in self.columns if column.level is level)


@dataclass(frozen=True)
class TableColumn:
    """One column of a stored table: name, polars dtype and a sentence for people."""

    name: str
    dtype: pl.DataType
    description: str
