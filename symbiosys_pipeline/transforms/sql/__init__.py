"""The SQL of the transforms, one statement a file, and the one function that reads it. No query is run here.

A file names lists of contract columns as `${name}`: SQL has no parameter for an identifier, and the contract
is the only place that lists its columns. Values never go in that way; they lie in a relation the statement
reads.
"""

from collections.abc import Iterable
from importlib.resources import files
from string import Template


def quoted(name: str) -> str:
    """The name as an SQL identifier, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def column_list(names: Iterable[str]) -> str:
    """The names as a list for SELECT, PARTITION BY or GROUP BY."""
    return ", ".join(quoted(name) for name in names)


def ascending(names: Iterable[str]) -> str:
    """The names as an ORDER BY list that no connection setting can turn round."""
    return ", ".join(f"{quoted(name)} ASC NULLS LAST" for name in names)


def statement(name: str, **lists: str) -> str:
    """The statement in `<name>.sql`, its `${...}` filled in.

    Raises:
        KeyError: The file names a list that was not given.
    """
    text = files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(lists)
