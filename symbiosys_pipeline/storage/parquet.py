"""Writing Parquet with DuckDB, so that equal rows in equal order give equal bytes."""

from pathlib import Path

import duckdb


def copy_to_parquet(
    connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, file: Path
) -> None:
    """Write a relation as one zstd Parquet file, in its order."""
    connection.execute("SET preserve_insertion_order=true")
    relation.write_parquet(str(file), compression="zstd")


def count_rows(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """How many rows a Parquet file has, read back from it."""
    return int(connection.read_parquet(str(file)).count("*").fetchall()[0][0])
