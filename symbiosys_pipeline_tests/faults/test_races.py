"""Several processes at once: the older version never lands on top, nobody is locked out, nothing is lost."""

import os
from pathlib import Path

import pytest

from symbiosys_pipeline.storage.lake import Lake
from symbiosys_pipeline_tests.faults import small_client
from symbiosys_pipeline_tests.faults.deployments import (
    State,
    Workers,
    ledger_from_lake,
    published,
    state_of,
)
from symbiosys_pipeline_tests.faults.jobs import Job


def corrected_source(workers: Workers, tmp_path: Path) -> tuple[Path, State, dict[str, str]]:
    """A source holding the correction, its first files on the shelf, and what one process makes of both."""
    source = tmp_path / "source"
    small_client.deliver_first(source)
    alone = tmp_path / "alone"
    workers.run_well(Job(str(alone), str(source)))
    small_client.swap(source, tmp_path / "shelf")
    small_client.deliver_correction(source)
    workers.run_well(Job(str(alone), str(source)))
    return source, state_of(alone), published(alone)


def fifos(folder: Path, *names: str) -> tuple[str, str]:
    paths = [folder / name for name in names]
    for path in paths:
        os.mkfifo(path)
    return str(paths[0]), str(paths[1])


@pytest.mark.parametrize("step", ["stage", "publish"])
def test_an_older_rebuild_never_lands_on_top(step: str, workers: Workers, tmp_path: Path) -> None:
    """One process has built a day from the first delivery and is about to put it in place; meanwhile the
    correction comes and another process lands, rebuilds and publishes it.
    """
    source, alone, tables = corrected_source(workers, tmp_path)
    home = tmp_path / "home"
    small_client.swap(source, tmp_path / "shelf")
    meeting = fifos(tmp_path, "reached", "resume")
    slow = Job(str(home), str(source), pause_in=step, pause_on=str(small_client.SECOND), pause_paths=meeting)
    quick = Job(str(home), str(source), wait_paths=meeting, swap_with=str(tmp_path / "shelf"))
    outcomes = workers.run_well(slow, quick)
    assert outcomes[0].stale >= 1
    assert published(home) == tables
    state = state_of(home)
    assert state.without_verdicts() == alone.without_verdicts()
    assert ledger_from_lake(home, tmp_path / "restored") == state.ledger


def test_processes_that_do_the_same_at_the_same_time(workers: Workers, tmp_path: Path) -> None:
    """Landing, reading and rebuilding the same: first from nothing, then the correction."""
    source, alone, tables = corrected_source(workers, tmp_path)
    home = tmp_path / "home"
    small_client.swap(source, tmp_path / "shelf")
    workers.run_well(*[Job(str(home), str(source))] * 4)
    small_client.swap(source, tmp_path / "shelf")
    workers.run_well(*[Job(str(home), str(source))] * 3)
    assert published(home) == tables
    state = state_of(home)
    assert state.without_verdicts() == alone.without_verdicts()
    assert ledger_from_lake(home, tmp_path / "restored") == state.ledger


def test_a_landing_that_comes_late_does_not_hide_what_was_read(workers: Workers, tmp_path: Path) -> None:
    """A process that still lands a delivery which another has read and published takes nothing away."""
    source, home = tmp_path / "source", tmp_path / "home"
    small_client.deliver_first(source)
    meeting = fifos(tmp_path, "reached", "resume")
    # Seven points: four of two discoveries, and those of landing one delivery.
    slow = Job(str(home), str(source), pause_in="land", pause_paths=meeting, kill_at=7)
    quick = Job(str(home), str(source), wait_paths=meeting)
    slow_outcome, quick_outcome = workers.run(slow, quick)
    assert slow_outcome.status == -9
    assert (quick_outcome.status, quick_outcome.error, quick_outcome.failures) == (0, None, [])
    before = published(home)
    assert len(before) == 8
    assert workers.run_well(Job(str(home), str(source)))[0].points == []
    assert published(home) == before


def test_several_processes_open_a_new_ledger(workers: Workers, tmp_path: Path) -> None:
    """None of them meets a locked database, though each wants to make the tables."""
    source = tmp_path / "source"
    source.mkdir()
    for number in range(3):
        home = tmp_path / f"home-{number}"
        workers.run_well(*[Job(str(home), str(source))] * 5)
        assert (home / "ledger.sqlite").is_file()


def test_scratch_that_another_process_removes_meanwhile_is_no_failure(tmp_path: Path) -> None:
    """A folder that is listed and then gone; a link to nowhere is both at once."""
    lake = Lake(tmp_path)
    with lake.scratch() as folder:
        (folder.parent / "gone").symlink_to("nowhere")
        assert lake.remove_abandoned_scratch() == 0
        assert folder.is_dir()
