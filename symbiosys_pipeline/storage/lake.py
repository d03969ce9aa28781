"""The lake: named files that are replaced whole or not at all.

Callers know names (`storage.layout`), never paths: a lake in a bucket is a second class with these methods.
What is in a file is not known here.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from symbiosys_pipeline.errors import ConfigurationError, LakeError

_SCRATCH = ".scratch"
_ABANDONED_SECONDS = 24 * 3600


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a local file, lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_abandoned(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS
    except FileNotFoundError:
        # Another process has finished with it meanwhile.
        return False


class Lake:
    """A lake in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, url: str) -> "Lake":
        """The lake of a folder or `file://` URL; `ConfigurationError` for anything else."""
        text = url.removeprefix("file://")
        if "://" in text or not text.startswith("/"):
            raise ConfigurationError(
                "SYMBIOSYS_LAKE_URL", [f"{url!r}: expected an absolute folder or a file:// URL"]
            )
        return cls(Path(text))

    def _path(self, key: str) -> Path:
        if key.startswith("/") or ".." in Path(key).parts:
            raise LakeError(f"{key!r} is no name inside the lake; expected a relative name without '..'")
        return self.root / key

    def publish(self, local: Path, key: str) -> None:
        """Make a finished scratch file the content of `key`: durable first, then visible in one step.

        Readers see the old content or the new, never half. The scratch file is used up.
        """
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        _fsync(local)
        local.replace(target)
        _fsync(target.parent)

    def publish_bytes(self, content: bytes, key: str) -> None:
        """`publish` for small content."""
        with self.scratch() as folder:
            local = folder / "content"
            local.write_bytes(content)
            self.publish(local, key)

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading; `LakeError` when it is not there."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise LakeError(
                f"{key} is missing from the lake at {self.root}; restore it, or deliver the day again"
            ) from error

    def read_bytes(self, key: str) -> bytes:
        """The whole content of a small file."""
        with self.open(key) as file:
            return file.read()

    def sha256(self, key: str) -> str:
        """The SHA-256 of a file's content, lower-case hex; `LakeError` when it is not there."""
        if not self.exists(key):
            raise LakeError(f"{key} is missing from the lake at {self.root}")
        return file_sha256(self._path(key))

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return self._path(key).is_file()

    def list(self, prefix: str, name: str = "*") -> Iterator[str]:
        """The names of the files below a folder whose own name matches a glob, sorted."""
        base = self._path(prefix)
        for path in sorted(base.rglob(name)):
            if path.is_file():
                yield path.relative_to(self.root).as_posix()

    def uri(self, key: str) -> str:
        """The address under which DuckDB and polars read the file."""
        return str(self._path(key))

    @contextmanager
    def scratch(self) -> Generator[Path]:
        """A folder for unfinished files on the lake's own file system, removed afterwards."""
        base = self.root / _SCRATCH
        base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=base))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def remove_abandoned_scratch(self) -> int:
        """Remove what killed processes left unfinished more than a day ago; returns how many folders."""
        base = self.root / _SCRATCH
        abandoned = [folder for folder in (base.iterdir() if base.is_dir() else ()) if _is_abandoned(folder)]
        for folder in abandoned:
            shutil.rmtree(folder, ignore_errors=True)
        return len(abandoned)
