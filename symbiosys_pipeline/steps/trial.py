"""Try a client's sources and keep nothing: access, names, header, the newest file's first rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from tempfile import TemporaryFile
from zoneinfo import ZoneInfo

import polars as pl

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.contracts.file_pattern import FilePattern
from symbiosys_pipeline.contracts.profile import ClientProfile, FileSource
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import SymbiosysError
from symbiosys_pipeline.sources.object_store import UNREADABLE, ObjectStoreSource, SourceObject
from symbiosys_pipeline.transforms.header import resolve_columns, shown_names
from symbiosys_pipeline.transforms.raw_rows import FileLayout, open_raw
from symbiosys_pipeline.transforms.standardize import StandardizeSpec, refuse_structural, standardize

_SAMPLE_CHUNKS = 1
_SAMPLE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One result of a trial: what was tried where, and what came of it."""

    client: str
    ok: bool
    where: str
    what: str


def try_client(deployment: Deployment, profile: ClientProfile) -> list[Finding]:
    """Try every source of a client; nothing is landed and the ledger is not touched."""
    return [
        finding
        for dataset in Dataset
        for source in profile.sources(dataset)
        for finding in _try_source(deployment, profile, dataset, source)
    ]


def newest_object(store: ObjectStoreSource, pattern: FilePattern) -> tuple[SourceObject | None, int, int]:
    """The newest matching object by delivery day and time, how many match, and how many do not."""
    newest: SourceObject | None = None
    matching = others = 0
    for page in store.list(pattern.prefix):
        for item in page:
            if item.generation == UNREADABLE or not pattern.matches(item.key):
                others += 1
                continue
            matching += 1
            if newest is None or _age(pattern, item) > _age(pattern, newest):
                newest = item
    return newest, matching, others


def _age(pattern: FilePattern, item: SourceObject) -> tuple[str, datetime, str]:
    return str(pattern.delivery_day(item.key) or ""), item.last_modified, item.key


def _try_source(
    deployment: Deployment, profile: ClientProfile, dataset: Dataset, source: FileSource
) -> Iterator[Finding]:
    where = f"{dataset} ({source.name})"
    try:
        store = ObjectStoreSource.at(source.location, home=deployment.settings.home)
        newest, matching, others = newest_object(store, FilePattern.parse(source.pattern))
        if newest is None:
            what = f"none of {others} objects matches {source.pattern!r}; fix the pattern or wait"
            yield Finding(profile.client, ok=False, where=where, what=what)
            return
        text = f"{matching} objects match {source.pattern!r}, {others} others are left alone"
        yield Finding(profile.client, ok=True, where=where, what=text)
        yield _try_object(profile, dataset, source, store, newest)
    except (SymbiosysError, OSError) as error:
        yield Finding(profile.client, ok=False, where=where, what=str(error))


def _try_object(
    profile: ClientProfile,
    dataset: Dataset,
    source: FileSource,
    store: ObjectStoreSource,
    newest: SourceObject,
) -> Finding:
    day = FilePattern.parse(source.pattern).delivery_day(newest.key)
    spec = StandardizeSpec.of(
        profile,
        dataset,
        source,
        delivery_id="0" * 16,
        delivery_day=day or datetime.now(UTC).astimezone(ZoneInfo(profile.time_zone)).date(),
    )
    rows = 0
    refused: list[pl.DataFrame] = []
    with TemporaryFile() as file:
        with store.read(newest.key, newest.generation) as blocks:
            file.writelines(blocks)
        file.seek(0)
        raw = open_raw(file, FileLayout.of(source), chunk_bytes=_SAMPLE_BYTES)
        columns = resolve_columns(raw.header, source, SCHEMAS[dataset])
        for chunk in islice(raw.chunks(), _SAMPLE_CHUNKS):
            typed = standardize(chunk.rows, columns.columns, spec)
            rows += typed.valid["row_number"].n_unique()
            refused += [typed.refused, refuse_structural(chunk.refused, spec)]
    bad = pl.concat(refused) if refused else pl.DataFrame(schema={"field": pl.String, "reason": pl.String})
    reasons = bad.group_by("field", "reason").len().sort("len", descending=True).head(5)
    listed = ", ".join(
        f"{field or 'record'}: {reason} ({count} rows)" for field, reason, count in reasons.iter_rows()
    )
    problems = [f"refused {listed}"] if listed else []
    if columns.absent:
        problems.append(f"mapped columns not in the file: {', '.join(columns.absent)}")
    unused = f"; unused columns: {', '.join(shown_names(columns.extra))}" if columns.extra else ""
    found = "".join(f"; {text}" for text in problems)
    what = f"{newest.key}: {rows} rows of the sample are sound{found}{unused}"
    return Finding(profile.client, ok=not problems, where=f"{dataset} ({source.name})", what=what)
