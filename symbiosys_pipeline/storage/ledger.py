"""The ledger: one database, two views of it. Which deliveries exist, and which versions are published.

The ledger is the index, not the only copy: `steps.restore` restores it from the lake.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError

from symbiosys_pipeline.errors import ConfigurationError, LakeError
from symbiosys_pipeline.storage.delivery_ledger import DeliveryLedger
from symbiosys_pipeline.storage.ledger_tables import METADATA
from symbiosys_pipeline.storage.publication_ledger import PublicationLedger

_BUSY_SECONDS = 60


class Ledger:
    """The ledger at a SQLAlchemy URL; SQLite runs in WAL mode with one writer at a time."""

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # Hidden parameters: what is written to the ledger has no place in an error's text.
        self._engine = sa.create_engine(
            parsed, connect_args={"timeout": _BUSY_SECONDS} if sqlite else {}, hide_parameters=True
        )
        if sqlite:
            _use_sqlite_transactions(self._engine)
        try:
            with self.writing() as connection:
                METADATA.create_all(connection)
        except DBAPIError as error:
            raise LakeError(
                f"the ledger {parsed.render_as_string(hide_password=True)} cannot be opened: {error.orig}. "
                "Expected a database that may be written; check SYMBIOSYS_LEDGER_URL and the rights of its "
                "folder. If it is damaged, move it away and run `symbiosys ledger rebuild`"
            ) from error
        self.deliveries = DeliveryLedger(self)
        self.publications = PublicationLedger(self)

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """A consistent snapshot."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sa.Connection]:
        """A transaction that no other writer overlaps (SQLite) or that row locks guard (PostgreSQL)."""
        with (
            self._engine.connect().execution_options(symbiosys_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _parsed(url: str) -> sa.URL:
    expected = "expected a SQLAlchemy URL such as sqlite:////folder/ledger.sqlite or postgresql+psycopg2://…"
    try:
        parsed = sa.make_url(url)
        parsed.get_dialect().import_dbapi()
    except ArgumentError as error:  # its text quotes the URL, and so perhaps a password
        raise ConfigurationError("SYMBIOSYS_LEDGER_URL", [f"no URL of a database; {expected}"]) from error
    except ModuleNotFoundError as error:
        mistake = f"{error}: install the driver, or name another one; {expected}"
        raise ConfigurationError("SYMBIOSYS_LEDGER_URL", [mistake]) from error
    return parsed


def _use_sqlite_transactions(engine: sa.Engine) -> None:
    """Let SQLAlchemy's BEGIN be the database's, and take the write lock at once where one will be needed.

    pysqlite's own implicit BEGIN comes too late: two readers that both become writers would fail instead of
    waiting for each other.
    """

    @event.listens_for(engine, "connect")
    def _configure(  # pyright: ignore[reportUnusedFunction]
        connection: sqlite3.Connection, _record: object
    ) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("symbiosys_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
