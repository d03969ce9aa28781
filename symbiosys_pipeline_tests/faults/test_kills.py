"""A process killed anywhere leaves the old or the new version of every table, and the next run finishes."""

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from symbiosys_pipeline_tests.faults import small_client
from symbiosys_pipeline_tests.faults.deployments import (
    State,
    Workers,
    age_scratch,
    copy_of,
    ledger_from_lake,
    published,
    restore_ledger_of,
    state_of,
)
from symbiosys_pipeline_tests.faults.jobs import Job

KILLED = -9
STEPS = ("discover", "land", "read", "stage", "judge", "publish")


@dataclass(frozen=True)
class Stage:
    """A deployment before a run, and what the run does to it when nobody disturbs it.

    Attributes:
        source: The client's files as the run finds them.
        before: Home of the deployment before the run; never run itself.
        old: What readers found before.
        after: The deployment's state after an undisturbed run.
        new: What readers find after it.
        points: Where the run can be killed.
    """

    source: Path
    before: Path
    old: dict[str, str]
    after: State
    new: dict[str, str]
    points: list[str]


def stage(workers: Workers, source: Path, before: Path) -> Stage:
    undisturbed = copy_of(before, before.parent / f"{before.name}-undisturbed")
    points = workers.run_well(Job(str(undisturbed), str(source)))[0].points
    return Stage(source, before, published(before), state_of(undisturbed), published(undisturbed), points)


@pytest.fixture(scope="module")
def first(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Both days delivered for the first time."""
    folder = tmp_path_factory.mktemp("first")
    small_client.deliver_first(folder / "source")
    (folder / "home").mkdir()
    return stage(workers, folder / "source", folder / "home")


@pytest.fixture(scope="module")
def correction(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The second day's files replaced by corrected ones, after a complete run."""
    folder = tmp_path_factory.mktemp("correction")
    small_client.deliver_first(folder / "source")
    workers.run_well(Job(str(folder / "home"), str(folder / "source")))
    small_client.swap(folder / "source", folder / "shelf")
    small_client.deliver_correction(folder / "source")
    return stage(workers, folder / "source", folder / "home")


@pytest.fixture(scope="module")
def restoration(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The very files from before the correction put back: the generations seen first are live again."""
    folder = tmp_path_factory.mktemp("restoration")
    small_client.deliver_first(folder / "source")
    workers.run_well(Job(str(folder / "home"), str(folder / "source")))
    small_client.swap(folder / "source", folder / "shelf")
    small_client.deliver_correction(folder / "source")
    workers.run_well(Job(str(folder / "home"), str(folder / "source")))
    small_client.swap(folder / "source", folder / "shelf")
    return stage(workers, folder / "source", folder / "home")


def assert_old_or_new(home: Path, stage: Stage) -> None:
    """Every file a reader finds is one of the two versions, whole; none of the old ones is gone."""
    found = published(home)
    assert found.keys() >= stage.old.keys()
    for name, content in found.items():
        assert content in {stage.old.get(name), stage.new[name]}, name


def assert_finished(workers: Workers, home: Path, stage: Stage, tmp_path: Path) -> None:
    """The next run brings everything to where an undisturbed run would have brought it."""
    age_scratch(home)
    workers.run_well(Job(str(home), str(stage.source)))
    assert published(home) == stage.new
    state = state_of(home)
    assert state == stage.after
    assert list((home / "lake" / ".scratch").iterdir()) == []
    assert ledger_from_lake(home, tmp_path / f"{home.name}-restored") == state.ledger


def kill_and_finish(workers: Workers, stage: Stage, tmp_path: Path, points: list[int]) -> None:
    for point in points:
        home = copy_of(stage.before, tmp_path / f"killed-{point}")
        outcome = workers.run(Job(str(home), str(stage.source), kill_at=point))[0]
        assert (outcome.status, outcome.error) == (KILLED, None), stage.points[point]
        assert_old_or_new(home, stage)
        assert_finished(workers, home, stage, tmp_path)


def points_of(stage: Stage, step: str, *, most: int) -> list[int]:
    """The first points of a step; what is so after a commit is so before the next file is replaced."""
    wanted = {f"{step}: replace", f"{step}: commit"}
    found = [number for number, point in enumerate(stage.points) if point in wanted]
    assert found, f"nothing durable is done in {step}"
    return found[:most]


#: How many points there are until the step was done once, for the dataset with most to do, or one day.
ONE_OF_EACH = {"discover": 2, "land": 3, "read": 4, "stage": 5, "judge": 2, "publish": 8}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_point_of_a_correction(
    step: str, workers: Workers, correction: Stage, tmp_path: Path
) -> None:
    assert correction.old.keys() == correction.new.keys()
    assert correction.old != correction.new
    kill_and_finish(workers, correction, tmp_path, points_of(correction, step, most=ONE_OF_EACH[step]))


def test_a_kill_in_the_first_run(workers: Workers, first: Stage, tmp_path: Path) -> None:
    """At the last moment of a step: nothing is there before, and nothing half is there after."""
    assert first.old == {}
    points = [first.points.index(f"{step}: commit") for step in ("read", "stage", "publish")]
    kill_and_finish(workers, first, tmp_path, points)


def test_a_kill_while_an_older_generation_comes_back(
    workers: Workers, restoration: Stage, tmp_path: Path
) -> None:
    """Nothing is landed or read again; the lake must know as well as the ledger which one is live."""
    steps = {point.partition(":")[0] for point in restoration.points}
    assert steps == {"discover", "stage", "publish"}
    points = points_of(restoration, "discover", most=4) + points_of(restoration, "stage", most=1)
    kill_and_finish(workers, restoration, tmp_path, points)


@pytest.mark.parametrize("step", ["stage", "publish"])
def test_what_was_half_published_is_replaced_when_the_correction_is_taken_back(
    step: str, workers: Workers, tmp_path: Path
) -> None:
    """Killed while the correction was put in place, then the older generation is delivered again.

    The record of that older version is the wanted one, but the files are no longer it. The same holds for a
    ledger restored from the lake just then.
    """
    source = tmp_path / "source"
    small_client.deliver_first(source)
    workers.run_well(Job(str(tmp_path / "home"), str(source)))
    old, staged = published(tmp_path / "home"), published(tmp_path / "home", "staging")
    small_client.swap(source, tmp_path / "shelf")
    small_client.deliver_correction(source)
    points = workers.run_well(Job(str(copy_of(tmp_path / "home", tmp_path / "seen")), str(source)))[0].points
    replaced = [number for number, point in enumerate(points) if point == f"{step}: replace"]
    # Before each record: the partition's files, one or four of them, are replaced; and in the midst of four.
    for point in replaced[2:3] if step == "stage" else (replaced[3], replaced[5]):
        home = copy_of(tmp_path / "home", tmp_path / f"killed-{point}")
        assert workers.run(Job(str(home), str(source), kill_at=point))[0].status == KILLED
        small_client.swap(source, tmp_path / "shelf")
        restored = copy_of(home, tmp_path / f"restored-{point}")
        restore_ledger_of(restored)
        for deployment in (home, restored):
            workers.run_well(Job(str(deployment), str(source)))
            assert published(deployment) == old, points[point]
            assert published(deployment, "staging") == staged, points[point]
        small_client.swap(source, tmp_path / "shelf")


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_times(seed: int, workers: Workers, correction: Stage, tmp_path: Path) -> None:
    """From outside, wherever the process is: in an engine, in a write, in the database."""
    moments = random.Random(20261123 + seed)  # noqa: S311 a repeatable choice, no secret
    home = copy_of(correction.before, tmp_path / "killed")
    for _ in range(5):
        moment = moments.uniform(0, 1.2)
        outcome = workers.run(Job(str(home), str(correction.source), kill_after=moment))[0]
        assert (outcome.status, outcome.error) in {(KILLED, None), (0, None)}
        assert_old_or_new(home, correction)
    assert_finished(workers, home, correction, tmp_path)


def test_a_kill_while_the_rules_judge(workers: Workers, correction: Stage, tmp_path: Path) -> None:
    """Judged by the real catalogue: no verdict, no publication; the next run judges the same version."""
    home = copy_of(correction.before, tmp_path / "killed")
    outcome = workers.run(Job(str(home), str(correction.source), judging=True, kill_in_rules=True))[0]
    assert (outcome.status, outcome.error) == (KILLED, None)
    assert published(home) == correction.old
    assert verdicts(home) == verdicts(correction.before)
    workers.run_well(Job(str(home), str(correction.source), judging=True))
    assert published(home) == correction.new
    assert state_of(home).without_verdicts() == correction.after.without_verdicts()


def verdicts(home: Path) -> set[Path]:
    return {path.relative_to(home) for path in (home / "lake" / "verdicts").rglob("*.json")}
