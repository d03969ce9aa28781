"""Objects in a client's folder or bucket, through one library: list them, and read one generation of one."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from symbiosys_pipeline.errors import SourceError

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_PAGE = 1000
_BLOCK = 8 * 1024 * 1024

#: The generation of what is there and cannot be an object: nothing of it can be read.
UNREADABLE = ""


@dataclass(frozen=True)
class SourceObject:
    """One object as a listing shows it.

    Attributes:
        key: Name below the source's location.
        generation: Tells one content of the key from another: version or ETag, and last-modified time;
            `UNREADABLE` where the name cannot be an object's, and `key` then shows it with escapes.
        size: Bytes.
        last_modified: UTC.
    """

    key: str
    generation: str
    size: int
    last_modified: datetime


class ObjectStoreSource:
    """A location that is listed and read, never written."""

    def __init__(self, store: "ObjectStore", location: str, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
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
        return cls(LocalStore(prefix=folder), location, folder)

    def list(self, prefix: str) -> Iterator[list[SourceObject]]:
        """Pages of objects below a folder prefix (whole segments, or empty).

        A folder with a name that is no object's (control characters, bytes that are not UTF-8), a folder
        that may not be entered or a circle of links is listed all the same, those things as `UNREADABLE`.

        Raises:
            SourceError: The location does not answer.
        """
        from obstore.exceptions import BaseError, GenericError, InvalidPathError  # noqa: PLC0415 - as in `at`

        seen: set[str] = set()
        try:
            pages = self._store.list(prefix.rstrip("/") or None, chunk_size=_PAGE)
            for page in cast("Iterator[Sequence[ObjectMeta]]", pages):
                seen.update(meta["path"] for meta in page)
                yield [_object(meta) for meta in page]
        except (BaseError, OSError) as error:
            if self._folder is None or not isinstance(error, InvalidPathError | GenericError | OSError):
                raise SourceError(f"{self.location}: cannot be listed: {_words(error)}") from error
            yield [item for item in self._walk(self._folder, prefix) if item.key not in seen]

    def _walk(self, root: Path, prefix: str) -> Iterator[SourceObject]:
        """The objects of a local folder that the store refuses to list as a whole."""
        unreadable: list[SourceObject] = []
        visited: set[str] = set()

        def refused(error: OSError) -> None:
            unreadable.append(_unreadable(root, Path(os.fsdecode(error.filename or root))))

        for parent, folders, names in os.walk(root / prefix, onerror=refused, followlinks=True):
            real = os.path.realpath(parent)
            if real in visited:
                folders.clear()
                continue
            visited.add(real)
            for path in (Path(parent, name) for name in sorted(names)):
                if path.is_file():
                    yield self._look(root, path)
        yield from unreadable

    def _look(self, root: Path, path: Path) -> SourceObject:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - as in `at`

        try:
            return _object(self._store.head(path.relative_to(root).as_posix()))
        except (BaseError, OSError, ValueError):
            return _unreadable(root, path)

    @contextmanager
    def read(self, key: str, generation: str) -> Generator[Iterator[bytes]]:
        """Stream one generation of one object; usable once.

        Raises:
            SourceError: The object is gone, may not be read, or is no longer (or was not throughout) the
                generation listed.
        """
        from obstore.exceptions import BaseError  # noqa: PLC0415 - as in `at`

        try:
            found = self._store.head(key)
            _must_be(key, generation, found)
            yield self._blocks(key, found["size"])
            _must_be(key, generation, self._store.head(key))
        except FileNotFoundError as error:
            raise SourceError(f"{key}: gone since it was listed; nothing was taken from it") from error
        except BaseError as error:
            raise SourceError(
                f"{key}: cannot be read: {_words(error)}. Nothing was taken from it; check that this account "
                "may read it"
            ) from error

    def _blocks(self, key: str, size: int) -> Iterator[bytes]:
        """The object in ranges: obstore's stream never ends, and fills the memory, where a file shrinks."""
        for start in range(0, size, _BLOCK):
            length = min(_BLOCK, size - start)
            if start >= self._store.head(key)["size"]:
                raise _changed(key)
            block = bytes(self._store.get_range(key, start=start, length=length))
            if len(block) != length:
                raise _changed(key)
            yield block


def _must_be(key: str, generation: str, found: "ObjectMeta") -> None:
    if _object(found).generation != generation:
        raise _changed(key)


def _changed(key: str) -> SourceError:
    return SourceError(
        f"{key}: changed while it was read; nothing was taken from this attempt, and the next listing "
        "takes the new content"
    )


def _object(meta: "ObjectMeta") -> SourceObject:
    tag = (meta["version"] or meta["e_tag"] or "").strip('"')
    modified = meta["last_modified"]
    return SourceObject(meta["path"], f"{tag}@{modified.isoformat()}", meta["size"], modified)


def _unreadable(root: Path, path: Path) -> SourceObject:
    name = os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)
    return SourceObject(shown, UNREADABLE, 0, datetime.fromtimestamp(0, UTC))


def _words(error: Exception) -> str:
    # obstore appends a dump of its own structures.
    return str(error).partition("\n\nDebug source")[0].strip()
