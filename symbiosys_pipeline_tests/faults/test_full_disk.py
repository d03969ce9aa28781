"""A disk that takes no more: the run says so, readers see the old version, and with room it goes on."""

import random
from pathlib import Path

import pytest

from symbiosys_pipeline_tests.faults import small_client
from symbiosys_pipeline_tests.faults.deployments import (
    Workers,
    age_scratch,
    copy_of,
    published,
    state_of,
)
from symbiosys_pipeline_tests.faults.jobs import Job
from symbiosys_pipeline_tests.faults.small_client import SECOND

#: More than the ledger and its journal take, less than the second day's files.
_LARGEST_FILE = 700_000
_VIEWS = 40_000


def many_views() -> bytes:
    """Views that do not compress below the limit, since every visitor and page is a random name."""
    names = random.Random(7)  # noqa: S311 a repeatable choice, no secret
    return small_client.views_gzip(
        [
            (
                f"{SECOND}T{number % 24:02}:00:00Z",
                f"{names.getrandbits(128):032x}",
                f"https://shop.example/{names.getrandbits(64):016x}",
            )
            for number in range(_VIEWS)
        ]
    )


@pytest.fixture(scope="module")
def delivered(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a deployment of the first delivery, a large second one, and what should become of it."""
    folder = tmp_path_factory.mktemp("large")
    small_client.deliver_first(folder / "source")
    workers.run_well(Job(str(folder / "home"), str(folder / "source")))
    small_client.replace(small_client.views_file(folder / "source", SECOND), many_views())
    copy_of(folder / "home", folder / "undisturbed")
    workers.run_well(Job(str(folder / "undisturbed"), str(folder / "source")))
    return folder


@pytest.mark.parametrize("step", ["land", "read", "stage", "publish"])
def test_a_write_that_finds_no_room(step: str, workers: Workers, delivered: Path, tmp_path: Path) -> None:
    home = copy_of(delivered / "home", tmp_path / "home")
    source = str(delivered / "source")
    before = published(home)
    outcome = workers.run(Job(str(home), source, limited_in=step, largest_file=_LARGEST_FILE))[0]
    assert (outcome.error, outcome.status) == (None, 0)
    assert outcome.failures
    assert all("File too large" in failure for failure in outcome.failures), outcome.failures
    # The first day only loses its late row: it has room, and may be published before the second finds none.
    after = published(delivered / "undisturbed")
    for name, content in published(home).items():
        assert content in ({before[name]} if str(SECOND) in name else {before[name], after[name]}), name
    age_scratch(home)
    workers.run_well(Job(str(home), source))
    assert published(home) == after
    assert state_of(home) == state_of(delivered / "undisturbed")
    assert list((home / "lake" / ".scratch").iterdir()) == []
