"""Raw rows of one delivery to the contract's typed rows, or to refusals with reasons (CONTRACT 2).

Here the fields are put together; how one is read is in `field_parsers` and `timestamps`, how lists of lines
become lines in `order_lines`, how a refusal is written in `quarantine`. Every row given is in exactly one of
the two results (an order with list columns: all its lines are).
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from symbiosys_pipeline.contracts.columns import Column, Dataset, Kind, Level, Need
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.layers import standardized_schema
from symbiosys_pipeline.transforms.field_parsers import (
    cut_query_parameters,
    parse_field,
    present,
    refuse_missing,
)
from symbiosys_pipeline.transforms.masking import HIDDEN
from symbiosys_pipeline.transforms.order_lines import (
    LINE_NUMBER,
    element,
    expand_lines,
    list_problem,
    one_line_per_row,
)
from symbiosys_pipeline.transforms.quarantine import (
    HIDING_REASONS,
    QUARANTINE_SCHEMA,
    empty_quarantine,
    incomplete_order_refusals,
    masked_text,
    problem,
    structural_refusals,
)
from symbiosys_pipeline.transforms.raw_chunks import ROW_NUMBER
from symbiosys_pipeline.transforms.standardize_spec import StandardizeSpec
from symbiosys_pipeline.transforms.timestamps import with_instant

_EVENT_DAY = "__event_day"


class Standardized(NamedTuple):
    """What became of the rows.

    Attributes:
        valid: `standardized_schema`, sorted by row and line number.
        refused: `quarantine.QUARANTINE_SCHEMA`, sorted by row number.
    """

    valid: pl.DataFrame
    refused: pl.DataFrame


def standardize(rows: pl.DataFrame, columns: Mapping[str, str], spec: StandardizeSpec) -> Standardized:
    """Type every row by the contract, or refuse it with all its reasons.

    Args:
        rows: `ROW_NUMBER` Int64 and the client's columns: String, or native Datetime and Date.
        columns: Contract field -> the client's column. A field without a column, or whose column is not in
            `rows`, is absent in every row.
        spec: How the client writes, and the delivery.
    """
    raw = _contract_named(rows, columns, spec)
    given = {name: dtype for name, dtype in raw.schema.items() if name != ROW_NUMBER}
    frame = _with_events(raw.lazy(), given, spec)
    line_columns = spec.schema.of_level(Level.LINE)
    if spec.list_separator is None:
        frame = one_line_per_row(frame)
    else:
        texts = [(column, _text_of(column, given)) for column in line_columns]
        frame = expand_lines(frame, texts, spec.list_separator)
    frame = _with_lines(frame, line_columns, given, spec)
    standardized = frame.collect()
    problems = [name for name in standardized.columns if name.startswith("problem.")]
    refused = pl.any_horizontal(pl.col(name).is_not_null() for name in problems)
    if spec.list_separator is not None:
        refused = refused.any().over(ROW_NUMBER)
    standardized = standardized.with_columns(__refused=refused)
    return Standardized(
        valid=_valid(standardized.filter(~pl.col("__refused")), spec),
        refused=_refused(standardized.filter("__refused"), problems, list(given), spec),
    )


def refuse_structural(refused: pl.DataFrame, spec: StandardizeSpec) -> pl.DataFrame:
    """Records that are no rows (`row_number`, `reason`, `text`) as quarantine rows; see `quarantine`."""
    return structural_refusals(refused, spec.delivery_id)


def refuse_incomplete_orders(valid: pl.DataFrame, refused: pl.DataFrame) -> Standardized:
    """Refuse the sound lines of every order of which another line of the same delivery was refused.

    A partly read order would publish a wrong revenue. For the layout of one row per line, over a whole
    delivery.

    Args:
        valid: Standardized order lines of one delivery.
        refused: Its quarantine rows.
    """
    broken = refused.select("order_id").filter(
        pl.col("order_id").is_not_null() & (pl.col("order_id") != HIDDEN)
    )
    incomplete = valid.join(broken, on="order_id", how="semi", maintain_order="left")
    if incomplete.is_empty():
        return Standardized(valid, refused)
    sound = valid.join(broken, on="order_id", how="anti", maintain_order="left")
    added = incomplete_order_refusals(incomplete, SCHEMAS[Dataset.ORDERS].columns)
    return Standardized(sound, pl.concat([refused, added]).sort("row_number", maintain_order=True))


def _contract_named(rows: pl.DataFrame, columns: Mapping[str, str], spec: StandardizeSpec) -> pl.DataFrame:
    """The rows with the contract's names only, in row order, every column String or native time."""
    picked: list[pl.Expr] = []
    for column in spec.schema.columns:
        source = columns.get(column.name)
        if source is None or source not in rows.columns or column.name in spec.drop_fields:
            continue
        dtype = rows.schema[source]
        is_native_time = column.kind is Kind.TIMESTAMP and isinstance(dtype, pl.Datetime | pl.Date)
        given = pl.col(source) if is_native_time else pl.col(source).cast(pl.String)
        picked.append(given.alias(column.name))
    named = rows.select(ROW_NUMBER, *picked)
    return named if named[ROW_NUMBER].is_sorted() else named.sort(ROW_NUMBER, maintain_order=True)


def _text_of(column: Column, given: Mapping[str, pl.DataType]) -> pl.Expr:
    return pl.col(f"text.{column.name}") if column.name in given else pl.lit(None, dtype=pl.String)


def _with_events(
    frame: pl.LazyFrame, given: Mapping[str, pl.DataType], spec: StandardizeSpec
) -> pl.LazyFrame:
    """Add text, value and problem of every field of the event, and its day."""
    by_name = {column.name: column for column in spec.schema.columns}
    frame = frame.with_columns(
        (present(pl.col(name), by_name[name], spec.rules) if dtype == pl.String else pl.col(name)).alias(
            f"text.{name}"
        )
        for name, dtype in given.items()
    )
    parsed: list[pl.Expr] = []
    for column in spec.schema.of_level(Level.EVENT):
        if column.kind is Kind.TIMESTAMP:
            frame = _with_event_time(frame, column, given, spec)
        else:
            parsed += _parsed(column, _text_of(column, given), spec)
    return frame.with_columns(parsed)


def _with_event_time(
    frame: pl.LazyFrame, column: Column, given: Mapping[str, pl.DataType], spec: StandardizeSpec
) -> pl.LazyFrame:
    text, value, found = (f"{part}.{column.name}" for part in ("text", "value", "problem"))
    dtype = given.get(column.name, pl.String())
    if column.name not in given:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(text))
    window = spec.window
    frame = with_instant(frame, text, dtype, spec.timestamp, instant=value, problem_name=found)
    return frame.with_columns(window.event_day(pl.col(value)).alias(_EVENT_DAY)).with_columns(
        pl.when(pl.col(text).is_null())
        .then(problem("missing"))
        .otherwise(pl.coalesce(pl.col(found), window.problem(pl.col(value), pl.col(_EVENT_DAY))))
        .alias(found)
    )


def _with_lines(
    frame: pl.LazyFrame, columns: tuple[Column, ...], given: Mapping[str, pl.DataType], spec: StandardizeSpec
) -> pl.LazyFrame:
    """Add value and problem of every field of the line; a row's list problem stands before its elements'."""
    parsed: list[pl.Expr] = []
    if spec.list_separator is None:
        for column in columns:
            parsed += _parsed(column, _text_of(column, given), spec)
        return frame.with_columns(parsed)
    broken = pl.any_horizontal(pl.col(list_problem(column.name)).is_not_null() for column in columns)
    for column in columns:
        text = present(pl.col(element(column.name)), column, spec.rules)
        value, found = parse_field(text, column, spec.rules)
        found = refuse_missing(found, text, column)
        parsed += [
            value.alias(f"value.{column.name}"),
            pl.when(broken)
            .then(pl.col(list_problem(column.name)))
            .otherwise(found)
            .alias(f"problem.{column.name}"),
        ]
    return frame.with_columns(parsed)


def _parsed(column: Column, text: pl.Expr, spec: StandardizeSpec) -> list[pl.Expr]:
    value, found = parse_field(text, column, spec.rules)
    expressions = [value.cast(column.dtype).alias(f"value.{column.name}")]
    if column.need is Need.REQUIRED or column.kind not in {Kind.TEXT, Kind.URL}:
        expressions.append(refuse_missing(found, text, column).alias(f"problem.{column.name}"))
    return expressions


def _valid(standardized: pl.DataFrame, spec: StandardizeSpec) -> pl.DataFrame:
    return standardized.select(
        *(pl.col(f"value.{name}").alias(name) for name in spec.schema.names()),
        pl.col(_EVENT_DAY).alias("event_day"),
        pl.lit(spec.delivery_id).alias("delivery_id"),
        pl.col(ROW_NUMBER).cast(pl.Int64).alias("row_number"),
        pl.col(LINE_NUMBER).alias("line_number"),
    ).select(standardized_schema(spec.dataset).names())


def _refused(
    lines: pl.DataFrame, problems: list[str], given: list[str], spec: StandardizeSpec
) -> pl.DataFrame:
    """One quarantine row per refused row, with the problems of all its lines."""
    if lines.is_empty():
        return empty_quarantine()
    order = pl.Enum([f"problem.{name}" for name in spec.schema.names()])
    field = pl.col("problem_column").cast(pl.String).str.strip_prefix("problem.")
    found = (
        lines.select(ROW_NUMBER, LINE_NUMBER, *problems)
        .unpivot(
            problems, index=[ROW_NUMBER, LINE_NUMBER], variable_name="problem_column", value_name="reason"
        )
        .drop_nulls("reason")
        .cast({"problem_column": order})
        .sort(ROW_NUMBER, "problem_column", LINE_NUMBER)
        .unique([ROW_NUMBER, "problem_column", "reason"], keep="first", maintain_order=True)
        .with_columns(pl.col("reason").cast(pl.String), field=field)
        .group_by(ROW_NUMBER, maintain_order=True)
        .agg(
            pl.col("reason").first(),
            pl.col("field").first(),
            pl.format("{}:{}", "field", "reason").alias("problems"),
        )
    )
    rows = lines.unique(ROW_NUMBER, keep="first", maintain_order=True)
    return (
        rows.join(found, on=ROW_NUMBER, how="left", maintain_order="left")
        .select(
            pl.lit(spec.delivery_id).alias("delivery_id"),
            pl.col(ROW_NUMBER).alias("row_number"),
            spec.window.plausible_day(pl.col(_EVENT_DAY)).alias("event_day"),
            _shown_order_id(spec).alias("order_id"),
            "reason",
            "field",
            "problems",
            _shown_text(given, rows.schema, spec).alias("text"),
        )
        .cast(QUARANTINE_SCHEMA)
    )


def _was_hidden(name: str) -> pl.Expr:
    problems = pl.col("problems").list
    return pl.any_horizontal(problems.contains(pl.lit(f"{name}:{reason}")) for reason in HIDING_REASONS)


def _shown_order_id(spec: StandardizeSpec) -> pl.Expr:
    if spec.dataset is not Dataset.ORDERS:
        return pl.lit(None, dtype=pl.String)
    return pl.when(_was_hidden("order_id")).then(pl.lit(HIDDEN)).otherwise(pl.col("value.order_id"))


def _shown_text(given: list[str], dtypes: Mapping[str, pl.DataType], spec: StandardizeSpec) -> pl.Expr:
    shown: list[tuple[Column, pl.Expr]] = []
    for name in given:
        column = spec.schema.column(name)
        raw = pl.col(name) if dtypes[name] == pl.String else pl.col(name).dt.to_string("iso")
        if column.kind is Kind.URL:
            raw = cut_query_parameters(raw, spec.rules.cut_parameters)
        shown.append((column, raw))
    return masked_text(shown, {name: _was_hidden(name) for name in given})
