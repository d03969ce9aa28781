"""Where this deployment keeps its things. Read from the environment on call, never at import."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent


@dataclass(frozen=True)
class Settings:
    """The deployment's own settings.

    Attributes:
        home: Absolute folder for everything local: lake, ledger, Dagster's storage (`SYMBIOSYS_HOME`).
        lake_url: Absolute folder or object-store URL of the lake (`SYMBIOSYS_LAKE_URL`).
        ledger_url: SQLAlchemy URL of the ledger (`SYMBIOSYS_LEDGER_URL`); may hold a password, so it is
            kept out of the repr.
        clients: Folder of `<client>/defs.yaml` (`SYMBIOSYS_CLIENTS`).
        duckdb_memory: DuckDB's memory limit per step (`SYMBIOSYS_DUCKDB_MEMORY`).
    """

    home: Path
    lake_url: str
    ledger_url: str
    clients: Path
    duckdb_memory: str = "2GB"

    def __repr__(self) -> str:
        return f"Settings(home={self.home}, lake_url={self.lake_url}, clients={self.clients})"

    @classmethod
    def at(
        cls,
        home: Path,
        *,
        clients: Path | None = None,
        lake_url: str | None = None,
        ledger_url: str | None = None,
        duckdb_memory: str = "2GB",
    ) -> "Settings":
        """Settings below one folder; everything not given lies inside it."""
        home = home.expanduser().resolve()
        return cls(
            home=home,
            lake_url=lake_url or str(home / "lake"),
            ledger_url=ledger_url or f"sqlite:///{home / 'ledger.sqlite'}",
            clients=(clients or PACKAGE / "defs" / "clients").expanduser().resolve(),
            duckdb_memory=duckdb_memory,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Settings from `SYMBIOSYS_*` variables; without any, everything lies in the project's `data/`."""
        env = os.environ if environment is None else environment
        clients = env.get("SYMBIOSYS_CLIENTS")
        return cls.at(
            Path(env.get("SYMBIOSYS_HOME") or PROJECT / "data"),
            clients=Path(clients) if clients else None,
            lake_url=env.get("SYMBIOSYS_LAKE_URL"),
            ledger_url=env.get("SYMBIOSYS_LEDGER_URL"),
            duckdb_memory=env.get("SYMBIOSYS_DUCKDB_MEMORY", "2GB"),
        )

    def environment(self) -> dict[str, str]:
        """The variables that make another process read the same settings."""
        return {
            "SYMBIOSYS_HOME": str(self.home),
            "SYMBIOSYS_CLIENTS": str(self.clients),
            "SYMBIOSYS_LAKE_URL": self.lake_url,
            "SYMBIOSYS_LEDGER_URL": self.ledger_url,
            "SYMBIOSYS_DUCKDB_MEMORY": self.duckdb_memory,
        }

    @property
    def warehouse(self) -> Path:
        """The catalogue database for people: views over the published files."""
        return self.home / "warehouse.duckdb"

    @property
    def dagster_home(self) -> Path:
        """The folder of the Dagster instance."""
        return self.home / "dagster"
