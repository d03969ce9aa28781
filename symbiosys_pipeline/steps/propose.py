"""Propose a profile for a new client from the headers of its newest files, for a person to finish."""

import difflib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile

from pydantic import ValidationError

from symbiosys_pipeline.clients import PROFILE_FILE, SCHEMA_FILE, render_profile
from symbiosys_pipeline.contracts.columns import Dataset, Need
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.file_pattern import FilePattern
from symbiosys_pipeline.contracts.profile import ClientProfile, Delimiter, FileFormat, FileSource
from symbiosys_pipeline.errors import ConfigurationError, DeliveryError
from symbiosys_pipeline.settings import Settings
from symbiosys_pipeline.sources.object_store import ObjectStoreSource
from symbiosys_pipeline.steps.trial import newest_object
from symbiosys_pipeline.transforms.header import clean_name, shown_names
from symbiosys_pipeline.transforms.raw_rows import FileLayout, open_raw

_SIMILARITY = 0.75
#: What retailers call a field where that is far from the contract's name; tried before it.
_USUAL_NAMES = {
    "event_ts": ("event_time", "event_timestamp", "order_time", "timestamp", "created_at"),
    "category_id": ("category",),
    "page_url": ("url", "page_location"),
    "regular_unit_price": ("unit_price", "list_price"),
    "discount_unit_price": ("sale_price", "net_price"),
}


@dataclass(frozen=True)
class Wanted:
    """What a person says of a new client."""

    client: str
    title: str
    location: str
    patterns: dict[Dataset, str]
    owner: str
    start_date: date
    time_zone: str
    currency: str


@dataclass(frozen=True)
class Proposal:
    """The file that was written, and what a person has to look at."""

    file: Path
    remarks: tuple[str, ...]


def propose_profile(settings: Settings, wanted: Wanted) -> Proposal:
    """Write a new client's `defs.yaml`: format, delimiter and mapping as its newest files suggest.

    Raises:
        ConfigurationError: The client exists already, or what was said of it is wrong.
        SourceError: Its folder cannot be listed.
    """
    file = settings.clients / wanted.client / PROFILE_FILE
    if file.exists():
        raise ConfigurationError(str(file), ["exists already; expected a new client, or edit the file"])
    remarks: list[str] = []
    sources = {dataset: _source(settings, wanted, dataset, remarks) for dataset in Dataset}
    profile = _validated(wanted, sources)
    remarks += [
        "set timestamp.format of both sources: it is never guessed",
        "set orders.discount_meaning: until then no revenue is computed",
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = os.path.relpath(SCHEMA_FILE, file.parent)
    file.write_text(render_profile(profile, schema_path=schema))
    return Proposal(file, tuple(remarks))


def _validated(wanted: Wanted, sources: dict[Dataset, dict[str, object]]) -> ClientProfile:
    try:
        return ClientProfile.model_validate(
            {
                "client": wanted.client,
                "title": wanted.title,
                "time_zone": wanted.time_zone,
                "start_date": wanted.start_date,
                "currency": wanted.currency,
                "owners": [wanted.owner],
                **{str(dataset): {"sources": [source]} for dataset, source in sources.items()},
            }
        )
    except ValidationError as error:
        raise ConfigurationError(f"new client {wanted.client!r}", _mistakes(error)) from error


def _mistakes(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(step) for step in one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors(include_url=False, include_input=False)
    ]


def _source(settings: Settings, wanted: Wanted, dataset: Dataset, remarks: list[str]) -> dict[str, object]:
    """One source as a person would write it."""
    pattern = wanted.patterns[dataset]
    written: dict[str, object] = {"location": wanted.location, "pattern": pattern}
    store = ObjectStoreSource.at(wanted.location, home=settings.home)
    try:
        newest, matching, _ = newest_object(store, FilePattern.parse(pattern))
    except ValueError as error:
        raise ConfigurationError(f"{dataset} pattern {pattern!r}", [str(error)]) from error
    if newest is None:
        remarks.append(f"{dataset}: no object matches {pattern!r} yet; the mapping is left empty")
        return written
    written["format"] = _format_of(newest.key)
    with TemporaryFile() as content:
        with store.read(newest.key, newest.generation) as blocks:
            content.writelines(blocks)
        header: tuple[str, ...] = ()
        for delimiter in Delimiter if written["format"] is FileFormat.CSV else (Delimiter.COMMA,):
            content.seek(0)
            try:
                tried = FileSource.model_validate({**written, "delimiter": delimiter})
                found = open_raw(content, FileLayout.of(tried)).header
            except DeliveryError as error:
                remarks.append(f"{dataset}: {newest.key} cannot be read: {error.message}")
                return written
            except ValidationError as error:
                raise ConfigurationError(f"{dataset} source", _mistakes(error)) from error
            if len(found) > len(header):
                header, written["delimiter"] = found, delimiter
    written["mapping"] = _mapping(dataset, [clean_name(name) for name in header], remarks)
    remarks.append(f"{dataset}: {matching} files match; looked at {newest.key}")
    return written


def _format_of(key: str) -> FileFormat:
    name = key.removesuffix(".gz").removesuffix(".zst")
    if name.endswith((".ndjson", ".jsonl")):
        return FileFormat.NDJSON
    return FileFormat.PARQUET if name.endswith(".parquet") else FileFormat.CSV


def _mapping(dataset: Dataset, header: list[str], remarks: list[str]) -> dict[str, str]:
    """Contract field -> the client's column, where the names differ but are alike."""
    mapping: dict[str, str] = {}
    complete = True
    schema = SCHEMAS[dataset]
    known = {name for column in schema.columns for name in (column.name, *column.aliases)}
    free = {name.casefold().replace(" ", "_"): name for name in header if name not in known}
    for column in schema.columns:
        if any(name in header for name in (column.name, *column.aliases)):
            continue
        match = next(
            (
                found
                for name in (*_USUAL_NAMES.get(column.name, ()), column.name, *column.aliases)
                for found in difflib.get_close_matches(name, free, n=1, cutoff=_SIMILARITY)
            ),
            None,
        )
        if match is not None:
            mapping[column.name] = free.pop(match)
            remarks.append(f"{dataset}: is {column.name} really the column {mapping[column.name]!r}?")
        elif column.need is Need.REQUIRED:
            complete = False
            remarks.append(
                f"{dataset}: no column looks like the required {column.name}; set mapping.{column.name}"
            )
    if free and complete:  # else the first line may hold values instead of names
        names = ", ".join(sorted(shown_names(list(free.values()))))
        remarks.append(f"{dataset}: columns without a field: {names}")
    return mapping
