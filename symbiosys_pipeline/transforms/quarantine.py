"""Refused rows: their reasons, their table, and how typed or broken rows become quarantine rows.

What a row is refused *for* is decided in `field_parsers`, `timestamps` and `order_lines`; here only how a
refusal is written down. Nothing of a quarantine row shows personal data (CONTRACT 1).
"""

from collections.abc import Mapping, Sequence

import polars as pl

from symbiosys_pipeline.contracts.columns import Column
from symbiosys_pipeline.contracts.tables import QUARANTINE_TABLE
from symbiosys_pipeline.transforms.masking import HIDDEN, mask_field

QUARANTINE_SCHEMA = pl.Schema({column.name: column.dtype for column in QUARANTINE_TABLE})

#: Every reason a field can be refused for. An Enum: a frame of problems takes one byte a cell.
REASON = pl.Enum(
    [
        "missing",
        "personal_data_in_clear",
        "unparseable_timestamp",
        "wrong_timestamp_unit",
        "ambiguous_local_time",
        "nonexistent_local_time",
        "outside_lateness_window",
        "in_future",
        "before_start_date",
        "not_a_boolean",
        "not_allowed",
        "not_a_currency",
        "not_an_integer",
        "not_positive",
        "not_a_number",
        "negative",
        "too_many_decimals",
        "out_of_range",
        "not_a_sha256",
        "malformed_list",
        "unequal_lists",
    ]
)

#: Reason of the sound lines of an order of which another line was refused.
ORDER_INCOMPLETE = "order_incomplete"

#: Reasons after which nothing of the field's value may be shown.
HIDING_REASONS = ("personal_data_in_clear", "not_a_sha256")


def problem(reason: str) -> pl.Expr:
    """A literal of the `REASON` type."""
    return pl.lit(reason, dtype=REASON)


def empty_quarantine() -> pl.DataFrame:
    """No refused rows, in `QUARANTINE_SCHEMA`."""
    return pl.DataFrame(schema=QUARANTINE_SCHEMA)


def structural_refusals(refused: pl.DataFrame, delivery_id: str) -> pl.DataFrame:
    """Records that could not be read as rows, as quarantine rows (`QUARANTINE_SCHEMA`).

    Args:
        refused: `row_number` Int64, `reason` String and `text` String, which shows a record's structure only.
        delivery_id: The delivery they came in.
    """
    return refused.select(
        delivery_id=pl.lit(delivery_id),
        row_number=pl.col("row_number").cast(pl.Int64),
        event_day=pl.lit(None, dtype=pl.Date),
        order_id=pl.lit(None, dtype=pl.String),
        reason=pl.col("reason").cast(pl.String),
        field=pl.lit(None, dtype=pl.String),
        problems=pl.concat_list(pl.format("record:{}", pl.col("reason"))),
        text=pl.col("text").cast(pl.String),
    ).sort("row_number")


def masked_text(
    columns: Sequence[tuple[Column, pl.Expr]], hidden: Mapping[str, pl.Expr] | None = None
) -> pl.Expr:
    """A row as JSON object text, contract field -> value, personal data masked.

    Args:
        columns: The fields to show, each with its raw String expression.
        hidden: Field name -> where its value may not be shown at all.
    """
    if not columns:
        return pl.lit("{}")
    hidden = hidden or {}
    shown: list[pl.Expr] = []
    for column, raw in columns:
        masked = mask_field(raw, column)
        if column.name in hidden:
            masked = pl.when(hidden[column.name]).then(pl.lit(HIDDEN)).otherwise(masked)
        shown.append(masked.alias(column.name))
    return pl.struct(shown).struct.json_encode()


def incomplete_order_refusals(lines: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Sound order lines of orders that were not read whole, as quarantine rows (`QUARANTINE_SCHEMA`).

    Args:
        lines: Standardized order lines. Their text is written from the typed values.
        columns: The contract's columns of orders.
    """
    return lines.select(
        "delivery_id",
        "row_number",
        "event_day",
        "order_id",
        reason=pl.lit(ORDER_INCOMPLETE),
        field=pl.lit("order_id"),
        problems=pl.concat_list(pl.lit(f"order_id:{ORDER_INCOMPLETE}")),
        text=masked_text([(column, pl.col(column.name).cast(pl.String)) for column in columns]),
    ).cast(QUARANTINE_SCHEMA)
