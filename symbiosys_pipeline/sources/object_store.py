"""Objects in a client's folder or bucket, through one library: list them, and read one generation of one."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from symbiosys_pipeline.errors import SourceError

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_PAGE = 1000
_BLOCK = 8 * 1024 * 1024


@dataclass(frozen=True)
class SourceObject:
    """One object as a listing shows it.

    Attributes:
        key: Name below the source's location.
        generation: Tells one content of the key from another: version or ETag, and last-modified time.
        size: Bytes.
        last_modified: UTC.
    """

    key: str
    generation: str
    size: int
    last_modified: datetime


class ObjectStoreSource:
    """A location that is listed and read, never written."""

    def __init__(self, store: "ObjectStore", location: str) -> None:
        self._store = store
        self.location = location

    @classmethod
    def at(cls, location: str, *, home: Path) -> "ObjectStoreSource":
        """The source of a folder: absolute, `file://`, or relative to the pipeline's home.

        Raises:
            SourceError: There is no such folder.
        """
        # Local import: obstore starts a thread pool; profiles and definitions load without it.
        from obstore.store import LocalStore  # noqa: PLC0415

        folder = home / location.removeprefix("file://")
        if "://" in location and not location.startswith("file://"):
            raise SourceError(f"{location}: expected a folder; buckets are not set up for this deployment")
        if not folder.is_dir():
            raise SourceError(
                f"{location}: no such folder; expected the client's deliveries there. "
                "Check `location` in the profile, or that the drive is mounted"
            )
        return cls(LocalStore(prefix=folder), location)

    def list(self, prefix: str) -> Iterator[list[SourceObject]]:
        """Pages of objects below a folder prefix (whole segments, or empty)."""
        pages = self._store.list(prefix.rstrip("/") or None, chunk_size=_PAGE)
        for page in cast("Iterator[Sequence[ObjectMeta]]", pages):
            yield [_object(meta) for meta in page]

    @contextmanager
    def read(self, key: str, generation: str) -> Generator[Iterator[bytes]]:
        """Stream one generation of one object; usable once.

        Raises:
            SourceError: The object is gone, or is no longer (or was not throughout) the generation listed.
        """
        try:
            result = self._store.get(key)
            _must_be(key, generation, result.meta)
            yield (bytes(block) for block in result.stream(min_chunk_size=_BLOCK))
            _must_be(key, generation, self._store.head(key))
        except FileNotFoundError as error:
            raise SourceError(f"{key}: gone since it was listed; nothing was taken from it") from error


def _must_be(key: str, generation: str, found: "ObjectMeta") -> None:
    if _object(found).generation != generation:
        raise SourceError(
            f"{key}: changed while it was read; nothing was taken from this attempt, and the next listing "
            "takes the new content"
        )


def _object(meta: "ObjectMeta") -> SourceObject:
    tag = (meta["version"] or meta["e_tag"] or "").strip('"')
    modified = meta["last_modified"]
    return SourceObject(meta["path"], f"{tag}@{modified.isoformat()}", meta["size"], modified)
