"""The client profiles of a folder: reading, checking and writing `<clients folder>/<client>/defs.yaml`.

What a profile may say is in `contracts.profile`. Dagster is not needed here: `symbiosys clients check` runs
before it.
"""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from symbiosys_pipeline.client_mistakes import (
    Mistake,
    client_file_schema,
    parse_client_file,
    read_client_file,
)
from symbiosys_pipeline.client_rendering import render_profile
from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.errors import ConfigurationError

__all__ = [
    "PROFILE_FILE",
    "SCHEMA_FILE",
    "Mistake",
    "folder_mistakes",
    "load_profile",
    "load_profiles",
    "mistakes",
    "parse_profile",
    "profile_json_schema",
    "profile_sha",
    "render_profile",
    "write_schema",
]

PROFILE_FILE = "defs.yaml"
SCHEMA_FILE = Path(__file__).parent / "contracts" / "client_profile.schema.json"

#: Where files lie, when they come and what is decided per source below: nothing of how they are read.
_NOT_READING = {"location", "due", "cadence", "allowed_lateness_days"}


def load_profile(path: Path) -> ClientProfile:
    """The profile of one file.

    Raises:
        ConfigurationError: Names every mistake of the file.
    """
    return _sound(path, read_client_file(path))


def parse_profile(text: str, path: Path) -> ClientProfile:
    """The profile of a file's text; `path` is only named in errors.

    Raises:
        ConfigurationError: Names every mistake of the text.
    """
    return _sound(path, parse_client_file(text, path))


def load_profiles(folder: Path) -> tuple[ClientProfile, ...]:
    """The profiles of all clients of a folder, sorted by client.

    Raises:
        ConfigurationError: The folder is missing or files in it are wrong; names every mistake of every file.
    """
    profiles, found = _read_folder(folder)
    if found:
        raise ConfigurationError(str(folder), [str(mistake) for mistake in found])
    return profiles


def mistakes(path: Path) -> tuple[Mistake, ...]:
    """Every mistake of one file, in the order of its lines; none where it is right."""
    return read_client_file(path)[1]


def folder_mistakes(folder: Path) -> tuple[Mistake, ...]:
    """Every mistake of every client of a folder, by client and line."""
    return _read_folder(folder)[1]


def profile_sha(profile: ClientProfile, dataset: Dataset) -> str:
    """16 hex digits of all that decides how a delivery of the dataset is read into rows.

    It changes with a source's format, mapping or times, the zone, the window, null words, restrictions and,
    for orders, currency and layout. It does not with what later steps or people use (thresholds, statuses,
    hosts, due times), nor with where the files lie or in which order the sources are written.
    """
    kept = set(SCHEMAS[dataset].names())
    reading: dict[str, Any] = {
        "client": profile.client,
        "time_zone": profile.time_zone,
        "start_date": str(profile.start_date),
        "future_tolerance_minutes": profile.future_tolerance_minutes,
        "null_words": sorted(set(profile.null_words)),
        "drop_fields": sorted(kept & set(profile.restrictions.drop_fields)),
        "drop_query_parameters": sorted(set(profile.restrictions.drop_query_parameters)),
        "sources": [
            source.model_dump(mode="json", exclude=_NOT_READING)
            | {"lateness_days": profile.lateness_days(source)}
            for source in sorted(profile.sources(dataset), key=lambda source: source.name)
        ],
    }
    if dataset is Dataset.ORDERS:
        reading |= {
            "currency": profile.currency,
            "line_layout": profile.orders.line_layout,
            "list_separator": profile.orders.list_separator,
        }
    text = json.dumps(reading, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def profile_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a whole `defs.yaml`: its type and its attributes."""
    return copy.deepcopy(client_file_schema())


def write_schema(path: Path = SCHEMA_FILE) -> None:
    """Write the JSON Schema to a file, as it is committed beside the contract."""
    path.write_text(f"{json.dumps(profile_json_schema(), indent=2)}\n", encoding="utf-8")


def _sound(path: Path, read: tuple[ClientProfile | None, tuple[Mistake, ...]]) -> ClientProfile:
    profile, found = read
    if profile is None:
        raise ConfigurationError(str(path), [str(mistake) for mistake in found])
    return profile


def _read_folder(folder: Path) -> tuple[tuple[ClientProfile, ...], tuple[Mistake, ...]]:
    if not folder.is_dir():
        return (), (Mistake(folder, 1, "", None, "expected a folder of <client>/defs.yaml"),)
    profiles: list[ClientProfile] = []
    found: list[Mistake] = []
    for client in sorted(path for path in folder.iterdir() if path.is_dir()):
        file = client / PROFILE_FILE
        if not file.exists():
            found += [
                Mistake(other, 1, "", None, f"expected the file to be called {PROFILE_FILE}")
                for other in sorted(client.iterdir())
                if other.suffix in {".yaml", ".yml"}
            ]
            continue
        profile, wrong = read_client_file(file, client=client.name)
        found += wrong
        profiles += [] if profile is None else [profile]
    return tuple(profiles), tuple(found)
