"""A file that changes while it is taken: nothing of it is kept, and the next look takes the new content."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import SourceError
from symbiosys_pipeline.sources.object_store import ObjectStoreSource
from symbiosys_pipeline.steps.deliver import deliver
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline.storage.ledger_tables import Delivery, DeliveryState
from symbiosys_pipeline_tests.faults import small_client
from symbiosys_pipeline_tests.faults.deployments import open_deployment
from symbiosys_pipeline_tests.faults.small_client import FIRST

#: Longer than one block of a read, so that a file can change between two blocks.
_ROWS = 260_000
_BLOCK = 8 * 1024 * 1024


@dataclass(frozen=True)
class Taking:
    """A deployment that takes one orders file."""

    deployment: Deployment
    profile: ClientProfile
    file: Path

    def look(self) -> Delivery | None:
        """The generation that is new, if one is."""
        found = discover(self.deployment, self.profile, Dataset.ORDERS).observed
        assert len(found) <= 1
        return found[0] if found else None

    def take(self, delivery: Delivery) -> Delivery | None:
        return deliver(self.deployment, self.profile, delivery)

    def kept(self) -> list[Path]:
        """All files in the lake."""
        return [path for path in self.deployment.lake.root.rglob("*") if path.is_file()]

    def orders(self) -> set[str]:
        """The orders of the slices that count."""
        live = self.deployment.ledger.deliveries.live_slices("acme", Dataset.ORDERS)
        uris = [self.deployment.lake.uri(part.slice.key) for part in live if part.slice.key is not None]
        return set(pl.read_parquet(uris)["order_id"]) if uris else set()


@pytest.fixture
def taking(tmp_path: Path) -> Iterator[Taking]:
    source = tmp_path / "source"
    file = small_client.orders_file(source, FIRST)
    small_client.replace(file, content("old"))
    deployment = open_deployment(tmp_path / "home")
    yield Taking(deployment, small_client.profile(source), file)
    deployment.ledger.close()


def content(name: str, rows: int = 1, day: date = FIRST) -> bytes:
    return small_client.orders_csv(
        [(f"{name}{number}", f"{day}T10:00:00Z", "ant", "p1", "1", "10.00") for number in range(rows)]
    )


def rewrite(file: Path) -> None:
    file.write_bytes(content("new"))


def append(file: Path) -> None:
    with file.open("ab") as end:
        end.write(content("new").partition(b"\n")[2])


def replace(file: Path) -> None:
    small_client.replace(file, content("new"))


def delete(file: Path) -> None:
    file.unlink()


AFTERWARDS: dict[Callable[[Path], None], set[str]] = {
    rewrite: {"new0"},
    append: {"old0", "new0"},
    replace: {"new0"},
    delete: set(),
}
changes = pytest.mark.parametrize("change", AFTERWARDS, ids=lambda change: change.__name__)


def assert_nothing_taken(taking: Taking, delivery: Delivery) -> None:
    assert taking.kept() == []
    recorded = taking.deployment.ledger.deliveries.get(delivery.delivery_id)
    assert recorded is not None
    assert recorded.state is DeliveryState.DISCOVERED


def assert_takes_the_new(taking: Taking, expected: set[str]) -> None:
    delivery = taking.look()
    if not expected:
        assert delivery is None
        return
    assert delivery is not None
    done = taking.take(delivery)
    assert done is not None
    assert done.state is DeliveryState.STANDARDIZED
    assert taking.orders() == expected
    assert taking.look() is None


@changes
def test_a_file_that_changes_between_the_look_and_the_read(
    change: Callable[[Path], None], taking: Taking
) -> None:
    delivery = taking.look()
    assert delivery is not None
    change(taking.file)
    with pytest.raises(SourceError, match="nothing was taken"):
        taking.take(delivery)
    assert_nothing_taken(taking, delivery)
    assert_takes_the_new(taking, AFTERWARDS[change])


@changes
def test_a_file_that_changes_during_the_read(
    change: Callable[[Path], None], taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first of its blocks, whether or not the rest is still the old file's."""
    old = content("old", _ROWS)
    assert len(old) > _BLOCK
    small_client.replace(taking.file, old)
    original = ObjectStoreSource.read

    @contextmanager
    def read(store: ObjectStoreSource, key: str, generation: str) -> Generator[Iterator[bytes]]:
        def changing(blocks: Iterator[bytes]) -> Iterator[bytes]:
            yield next(blocks)
            change(taking.file)
            yield from blocks

        with original(store, key, generation) as blocks:
            yield changing(blocks)

    delivery = taking.look()
    assert delivery is not None
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStoreSource, "read", read)
        with pytest.raises(SourceError, match=r"(?i)nothing was taken"):
            taking.take(delivery)
    assert_nothing_taken(taking, delivery)
    expected = AFTERWARDS[change]
    if "old0" in expected:
        expected = expected | {f"old{number}" for number in range(_ROWS)}
    assert_takes_the_new(taking, expected)


def test_a_half_written_file_is_refused_and_taken_when_it_is_whole(taking: Taking, tmp_path: Path) -> None:
    """The client writes its gzip in place, slowly; a look in between sees half of it."""
    file = small_client.views_file(tmp_path / "source", FIRST)
    whole = small_client.views_gzip(small_client.VIEWS[FIRST])
    states: list[tuple[DeliveryState, str | None, int | None]] = []
    for length in (len(whole) // 2, len(whole) - 1, len(whole)):
        if length == len(whole):
            with file.open("ab") as end:
                end.write(whole[-1:])
        else:
            small_client.replace(file, whole[:length])
        (delivery,) = discover(taking.deployment, taking.profile, Dataset.PAGE_VIEWS).observed
        done = taking.take(delivery)
        assert done is not None
        states.append((done.state, done.reason_code, done.rows_valid))
        live = taking.deployment.ledger.deliveries.live_slices("acme", Dataset.PAGE_VIEWS)
        assert sum(part.slice.rows for part in live) == (3 if length == len(whole) else 0)
    refused = (DeliveryState.REFUSED, "truncated_compression", None)
    assert states == [refused, refused, (DeliveryState.STANDARDIZED, None, 3)]
