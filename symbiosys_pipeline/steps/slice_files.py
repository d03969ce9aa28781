"""Collect a delivery's standardized rows by event day, in bounded memory, and write them as slices."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

from symbiosys_pipeline.storage.parquet import file_errors

_SPILL_BYTES = 256 * 1024 * 1024

#: Where a row came from, not what it says.
_ORIGIN = ("delivery_id", "row_number")

#: Two 64-bit hashes per row.
_SEEDS = (0, 1)


@dataclass(frozen=True)
class WrittenRows:
    """What a slice holds: how many rows, and a digest of them in order, without their origin.

    Stable within one release of polars: after an upgrade a correction may rebuild a day too many.
    """

    rows: int
    content: str


class SliceCollector:
    """Rows by event day; spills to a scratch folder when they grow past the memory allowed."""

    def __init__(self, folder: Path, *, spill_bytes: int = _SPILL_BYTES) -> None:
        self._folder = folder
        self._spill_bytes = spill_bytes
        self._held: dict[date, list[pl.DataFrame]] = {}
        self._spilled: dict[date, list[Path]] = {}
        self._held_bytes = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take standardized rows; they come in the order of the delivered file."""
        for (day,), part in rows.partition_by("event_day", as_dict=True, maintain_order=True).items():
            self._held.setdefault(cast("date", day), []).append(part)
        self._held_bytes += int(rows.estimated_size())
        if self._held_bytes > self._spill_bytes:
            self._spill()

    def _spill(self) -> None:
        for day, parts in self._held.items():
            files = self._spilled.setdefault(day, [])
            file = self._folder / f"{day}-{len(files):05d}.parquet"
            with file_errors():
                pl.concat(parts).write_parquet(file, compression="lz4")
            files.append(file)
        self._held.clear()
        self._held_bytes = 0

    def days(self) -> list[date]:
        """The event days met so far."""
        return sorted(self._held.keys() | self._spilled.keys())

    def parts(self, day: date) -> Iterator[pl.DataFrame]:
        """One day's rows, in order, in pieces that fit in memory."""
        for file in self._spilled.get(day, []):
            yield pl.read_parquet(file)
        yield from self._held.get(day, [])

    def write(
        self,
        day: date,
        file: Path,
        *,
        keep: Callable[[pl.DataFrame], pl.DataFrame],
        origin: dict[str, str],
    ) -> WrittenRows:
        """Write the rows of one day that `keep` leaves.

        Args:
            day: The event day.
            file: The Parquet file to write.
            keep: Takes rows away from each piece.
            origin: Key-value metadata for the file's footer.
        """
        kept: list[pl.LazyFrame] = []
        rows = 0
        content = hashlib.sha256()
        for number, part in enumerate(self.parts(day)):
            left = keep(part)
            rows += left.height
            said = left.drop(_ORIGIN)
            for seed in _SEEDS:
                content.update(said.hash_rows(seed).to_numpy().tobytes())
            if day in self._spilled:
                piece = self._folder / f"kept-{day}-{number:05d}.parquet"
                left.write_parquet(piece, compression="lz4")
                kept.append(pl.scan_parquet(piece))
            else:
                kept.append(left.lazy())
        pl.concat(kept).sink_parquet(file, compression="zstd", metadata=origin, maintain_order=True)
        return WrittenRows(rows, content.hexdigest())
