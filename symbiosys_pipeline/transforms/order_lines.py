"""Orders written as one row with list columns, turned into one row per line. No typing of the elements.

A list arrives as JSON array text or as text split by the client's separator (CONTRACT 2.2, 5). Lists of one
row that do not belong together refuse the row whole; see `list_problem`.
"""

from collections.abc import Sequence

import polars as pl

from symbiosys_pipeline.contracts.columns import Column, Need
from symbiosys_pipeline.transforms.quarantine import REASON, problem

#: Position of a line within its row, from 1, Int32.
LINE_NUMBER = "__line_number"

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
# Strict, surrogates in pairs: what matches can be decoded, for one bad text would fail the whole frame.
_ESCAPE = (
    r'\\(?:["\\/bfnrt]|u(?:[0-9A-Ca-cEeFf][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2}'
    r"|[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}))"
)
_STRING = rf'"(?:[^"\\\x00-\x1f]|{_ESCAPE})*"'
_ELEMENT = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_ARRAY = rf"^\[\s*(?:{_ELEMENT}(?:\s*,\s*{_ELEMENT})*)?\s*\]$"


def element(name: str) -> str:
    """Name of the column that holds a list column's element of the line, String, null where it is null."""
    return f"element.{name}"


def list_problem(name: str) -> str:
    """Name of the column that holds the problem of a row's whole list, `REASON`.

    `malformed_list`: text that opens like a JSON array and is none, or a nested one. `missing`: a required
    list that is absent or empty. `unequal_lists`: another length than the row's first list.
    """
    return f"list_problem.{name}"


def one_line_per_row(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame of a client that writes one row per line: every row is line 1 of itself."""
    return frame.with_columns(pl.lit(1, dtype=pl.Int32).alias(LINE_NUMBER))


def expand_lines(
    frame: pl.LazyFrame, texts: Sequence[tuple[Column, pl.Expr]], separator: str
) -> pl.LazyFrame:
    """One row per order line, in the order of the lists; every other column is repeated.

    A row whose lists have a problem becomes one line of null elements, so that no row is ever lost.

    Args:
        frame: One row per order.
        texts: The contract's line columns with their trimmed list text, null where absent.
        separator: What separates the entries of text that is no JSON array.

    Returns:
        The frame with `LINE_NUMBER`, and `element(...)` and `list_problem(...)` of each line column.
    """
    names = [column.name for column, _ in texts]
    frame = frame.with_columns(
        *(
            _entries(text, separator).alias(element(name))
            for name, (_, text) in zip(names, texts, strict=True)
        ),
        *(
            text.str.starts_with("[").alias(_is_json(name))
            for name, (_, text) in zip(names, texts, strict=True)
        ),
    )
    lengths = {name: pl.col(element(name)).list.len() for name in names}
    # An empty list says no more than an absent one.
    filled = {name: pl.when(length > 0).then(length) for name, length in lengths.items()}
    first = pl.coalesce(filled.values())
    frame = frame.with_columns(
        _problem_of(column, text, filled[column.name], first).alias(list_problem(column.name))
        for column, text in texts
    )
    sound = pl.all_horizontal(pl.col(list_problem(name)).is_null() for name in names)
    count = pl.when(sound).then(first).otherwise(1)
    nulls = pl.lit(None, dtype=pl.String).repeat_by(count)
    frame = frame.with_columns(
        *(
            pl.when(sound & filled[name].is_not_null())
            .then(pl.col(element(name)))
            .otherwise(nulls)
            .alias(element(name))
            for name in names
        ),
        pl.int_ranges(1, count.cast(pl.Int64) + 1, dtype=pl.Int32).alias(LINE_NUMBER),
    )
    return (
        frame.explode([LINE_NUMBER, *(element(name) for name in names)])
        .with_columns(_decoded(name).alias(element(name)) for name in names)
        .drop(_is_json(name) for name in names)
    )


def _is_json(name: str) -> str:
    return f"is_json.{name}"


def _entries(text: pl.Expr, separator: str) -> pl.Expr:
    array = pl.when(text.str.contains(_ARRAY)).then(text)
    return (
        pl.when(text.str.starts_with("["))
        .then(array.str.extract_all(rf"{_STRING}|[^\s\[\],\x22]+"))
        .otherwise(text.str.split(separator))
    )


def _problem_of(column: Column, text: pl.Expr, length: pl.Expr, first: pl.Expr) -> pl.Expr:
    required = pl.lit(column.need is Need.REQUIRED)
    return (
        pl.when(text.is_not_null() & pl.col(element(column.name)).is_null())
        .then(problem("malformed_list"))
        .when(length.is_null() & required)
        .then(problem("missing"))
        .when(length != first)
        .then(problem("unequal_lists"))
        .otherwise(pl.lit(None, dtype=REASON))
    )


def _decoded(name: str) -> pl.Expr:
    """A line's element as text: a JSON string's content, a JSON number's own digits, null for JSON null."""
    entry, is_json = pl.col(element(name)), pl.col(_is_json(name))
    is_string = is_json & entry.str.starts_with('"')
    return (
        pl.when(is_string)
        .then(pl.when(is_string).then(entry).str.json_decode(pl.String()))
        .when(is_json & (entry == "null"))
        .then(pl.lit(None, dtype=pl.String))
        .otherwise(entry)
    )
