"""One deployment opened for work: its settings, lake, ledger and client profiles."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from symbiosys_pipeline.clients import PROFILE_FILE, load_profile, load_profiles
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.errors import ConfigurationError
from symbiosys_pipeline.settings import Settings
from symbiosys_pipeline.storage.lake import Lake
from symbiosys_pipeline.storage.ledger import Ledger
from symbiosys_pipeline.storage.parquet import file_errors


@dataclass(frozen=True)
class Deployment:
    """What every step works on."""

    settings: Settings
    lake: Lake
    ledger: Ledger

    @classmethod
    def open(cls, settings: Settings) -> "Deployment":
        """Open the lake and the ledger, creating them where they are not there yet."""
        return cls(settings, Lake.at(settings.lake_url), Ledger(settings.ledger_url))

    def profiles(self, names: tuple[str, ...] = ()) -> tuple[ClientProfile, ...]:
        """The client profiles of this deployment, all or those named; a mistake in another one does no harm.

        Raises:
            ConfigurationError: A profile is wrong, or a name is not among them.
        """
        if not names or not self.settings.clients.is_dir():
            return load_profiles(self.settings.clients)
        known = sorted(file.parent.name for file in self.settings.clients.glob(f"*/{PROFILE_FILE}"))
        unknown = [name for name in names if name not in known]
        if unknown:
            expected = f"expected one of {', '.join(known) or '(none yet)'}"
            raise ConfigurationError(
                str(self.settings.clients), [f"no client {name!r}; {expected}" for name in unknown]
            )
        return tuple(load_profile(self.settings.clients / name / PROFILE_FILE) for name in names)

    @contextmanager
    def duckdb(self) -> Generator[duckdb.DuckDBPyConnection]:
        """An in-memory engine for one step: UTC, bounded memory, spilling into the lake's scratch folder."""
        with file_errors(), self.lake.scratch() as spill, duckdb.connect(":memory:") as connection:
            connection.execute("SET TimeZone='UTC'")
            connection.execute("SET memory_limit=?", [self.settings.duckdb_memory])
            connection.execute("SET temp_directory=?", [str(spill)])
            yield connection
