"""Writing Parquet, with DuckDB so that equal rows in equal order give equal bytes."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from symbiosys_pipeline.errors import LakeError


@contextmanager
def file_errors() -> Generator[None]:
    """Say in this project's words that an engine could not read or write a file: gone, no room, no right.

    Raises:
        LakeError: Instead of DuckDB's and polars' own errors, which are no `OSError`.
    """
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, pl.exceptions.ComputeError) as error:
        raise LakeError(
            f"a file of the lake or of its scratch folder could not be read or written: {error}. Nothing was "
            "replaced; check that the disk has room, and run again"
        ) from error


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def copy_to_parquet(
    connection: duckdb.DuckDBPyConnection,
    relation: duckdb.DuckDBPyRelation,
    file: Path,
    origin: Mapping[str, str],
) -> None:
    """Write a relation as one zstd Parquet file, in its order.

    Args:
        connection: The relation's connection.
        relation: What to write; it must be sorted for equal rows to give equal bytes.
        file: The file to write.
        origin: What the rows are and what they were made from, kept in the file's footer as
            `symbiosys.<name>`: a file found alone still says where it belongs.
    """
    footer = ", ".join(f"{literal(f'symbiosys.{name}')}: {literal(text)}" for name, text in origin.items())
    connection.execute("SET preserve_insertion_order=true")
    connection.execute(
        f"COPY ({relation.sql_query()}) TO {literal(str(file))} "
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{footer}}})"
    )


def count_rows(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """How many rows a Parquet file has, read back from it."""
    return int(connection.read_parquet(str(file)).count("*").fetchall()[0][0])
