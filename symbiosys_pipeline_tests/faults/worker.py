"""The process that is killed: it brings the small client up to date through the steps, as a run does.

Started once, it imports everything and then forks one short-lived process per job, because
imports take seconds and a killed process can be used once only. It runs nothing itself before a fork, so no
engine's thread pool exists yet that a forked process could wait for in vain.

A batch is one line of JSON on standard input, a list of jobs that begin at the same time; the answer is one
line with one outcome per job.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore.store  # noqa: F401 imported by the first listing otherwise, in every forked process anew
from sqlalchemy.engine.default import DefaultDialect

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.errors import StaleInputError, SymbiosysError
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.settings import Settings
from symbiosys_pipeline.steps import deliver as deliver_step
from symbiosys_pipeline.steps import rebuild
from symbiosys_pipeline.steps.discover import discover
from symbiosys_pipeline.steps.judge import Judged, keep_verdict
from symbiosys_pipeline.steps.pending import pending_delivery_days
from symbiosys_pipeline.steps.reconcile import LedgerView, days_to_rebuild
from symbiosys_pipeline.storage.delivery_ledger import DeliveryLedger
from symbiosys_pipeline.storage.ledger_tables import Layer, StoredVerdict
from symbiosys_pipeline.storage.publication_ledger import PublicationLedger
from symbiosys_pipeline_tests.faults.jobs import Job, Outcome
from symbiosys_pipeline_tests.faults.small_client import profile as small_profile
from symbiosys_pipeline_tests.faults.small_client import swap

_PASSES = 12
_DEADLINE_SECONDS = 60
_STEPS = {
    "discover": "discover",
    "land": "land",
    "read_delivery": "read",
    "stage_day": "stage",
    "judge_day": "judge",
    "publish_day": "publish",
}


def open_deployment(home: Path) -> Deployment:
    return Deployment.open(Settings.at(home, clients=home))


def bring_up_to_date(deployment: Deployment, profile: ClientProfile, outcome: Outcome) -> None:
    """Land what is new and rebuild what is stale, until nothing is; the loop of `symbiosys run`."""
    deployment.lake.remove_abandoned_scratch()
    for _ in range(_PASSES):
        for dataset in Dataset:
            discover(deployment, profile, dataset)
        for dataset in Dataset:
            for delivery in deployment.ledger.deliveries.current(profile.client, dataset):
                try:
                    deliver_step.deliver(deployment, profile, delivery)
                except (SymbiosysError, OSError) as error:
                    outcome.failures.append(f"{type(error).__name__}: {error}")
        for day in days_to_rebuild(LedgerView.of(deployment, profile)):
            try:
                rebuild.rebuild_day(deployment, profile, day)
            except StaleInputError:
                outcome.stale += 1
            except (SymbiosysError, OSError) as error:
                outcome.failures.append(f"{type(error).__name__}: {error}")
        pending = pending_delivery_days(deployment, profile)
        if outcome.failures or not (pending or LedgerView.of(deployment, profile).stale_days()):
            return
    raise AssertionError(f"still stale after {_PASSES} passes")


def _accept(deployment: Deployment, profile: ClientProfile, dataset: Dataset, event_day: Any) -> Judged:
    staged = deployment.ledger.publications.get(profile.client, Layer.staging(dataset), event_day)
    assert staged is not None
    assert staged.wanted is not None
    verdict = Verdict(profile.client, dataset, event_day, ())
    now = datetime.now(UTC).replace(tzinfo=None)
    stored = StoredVerdict(
        profile.client, dataset, event_day, staged.wanted, now, accepted=True, verdict=verdict.to_json()
    )
    keep_verdict(deployment, stored)
    return Judged(verdict, stored, "")


_accept.__code__ = _accept.__code__.replace(co_name="judge_day")


def _steps_running() -> Iterator[str]:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in _STEPS:
            yield _STEPS[frame.f_code.co_name]
        frame = frame.f_back


def _around(owner: Any, name: str, *, before: Callable[[], None], after: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        before()
        result = original(*arguments, **named)
        after()
        return result

    setattr(owner, name, wrapped)


def _mark_points(job: Job, outcome: Outcome) -> None:
    """Count, and die at, every point between two durable effects: file replacements and commits."""

    def point(what: str) -> Callable[[], None]:
        def reached() -> None:
            step = next(_steps_running(), None)
            if step is None:
                return
            if job.kill_at == len(outcome.points):
                os.kill(os.getpid(), signal.SIGKILL)
            outcome.points.append(f"{step}: {what}")

        return reached

    def nothing() -> None: ...

    _around(Path, "replace", before=point("replace"), after=nothing)
    _around(DefaultDialect, "do_commit", before=point("commit"), after=point("committed"))


def _pause(job: Job) -> None:
    """Stop once, just before what was landed or built is recorded, until another process has caught up."""

    def pausing(original: Callable[..., Any]) -> Callable[..., Any]:
        def paused(ledger: Any, record: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal waiting
            on_day = job.pause_on in {None, str(getattr(record, "event_day", None))}
            if waiting and on_day and job.pause_in in _steps_running():
                waiting = False
                assert job.pause_paths is not None
                _meet(job.pause_paths[0], os.O_WRONLY)
                _meet(job.pause_paths[1], os.O_RDONLY)
            return original(ledger, record, *arguments, **named)

        return paused

    waiting = job.pause_in is not None
    for owner, name in ((PublicationLedger, "publish"), (DeliveryLedger, "record")):
        setattr(owner, name, pausing(getattr(owner, name)))


def _meet(path: str, side: int) -> None:
    """Wait at a FIFO until the other process has come to its other side."""
    os.close(os.open(path, side))


def _limit_files(step: str, largest: int | None) -> None:
    """Let writes beyond a size fail while a step runs, with the error a program gets from the system."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    module, name = {
        "land": (deliver_step, "land"),
        "read": (deliver_step, "read_delivery"),
        "stage": (rebuild, "stage_day"),
        "publish": (rebuild, "publish_day"),
    }[step]
    original = getattr(module, name)
    unlimited = resource.RLIM_INFINITY

    def limited(*arguments: Any, **named: Any) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest or unlimited, unlimited))
        try:
            return original(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))

    setattr(module, name, limited)


def _run(job: Job, outcome: Outcome) -> None:
    if not job.judging:
        rebuild.judge_day = _accept
    if job.kill_in_rules:
        from symbiosys_pipeline.quality import runner  # noqa: PLC0415 slow to import, and only here needed

        _around(runner, "judge", before=lambda: None, after=lambda: os.kill(os.getpid(), signal.SIGKILL))
    _mark_points(job, outcome)
    _pause(job)
    if job.limited_in:
        _limit_files(job.limited_in, job.largest_file)
    if job.wait_paths:
        _meet(job.wait_paths[0], os.O_RDONLY)
    if job.swap_with:
        swap(Path(job.source), Path(job.swap_with))
    deployment = open_deployment(Path(job.home))
    try:
        bring_up_to_date(deployment, small_profile(Path(job.source)), outcome)
    finally:
        deployment.ledger.close()
        if job.wait_paths:
            _meet(job.wait_paths[1], os.O_WRONLY)


def _be_worker(job: Job, start: int, answer: int) -> None:
    """The forked process: runs its job when the others of its batch are there, answers and is gone."""
    outcome = Outcome()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    signal.alarm(_DEADLINE_SECONDS)
    try:
        os.read(start, 1)
        _run(job, outcome)
    except BaseException as error:  # noqa: BLE001 whatever it was, the test shall see it
        outcome.error = f"{type(error).__name__}: {error}"
    os.write(answer, json.dumps(asdict(outcome)).encode())
    os._exit(0 if outcome.error is None else 1)


def run_batch(jobs: Sequence[Job]) -> list[Outcome]:
    """Fork a process per job, let them begin together, and wait for all."""
    start_read, start_write = os.pipe()
    children: list[tuple[int, int]] = []
    for job in jobs:
        answer_read, answer_write = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(start_write)
            _be_worker(job, start_read, answer_write)
        os.close(answer_write)
        children.append((process, answer_read))
    os.close(start_read)
    os.close(start_write)
    if jobs[0].kill_after is not None and signal.sigtimedwait({signal.SIGCHLD}, jobs[0].kill_after) is None:
        os.kill(children[0][0], signal.SIGKILL)
    outcomes: list[Outcome] = []
    for process, answer in children:
        with os.fdopen(answer, "rb") as pipe:
            text = pipe.read()
        _, status = os.waitpid(process, 0)
        outcome = Outcome(**json.loads(text)) if text else Outcome()
        outcome.status = os.waitstatus_to_exitcode(status)
        outcomes.append(outcome)
    signal.sigtimedwait({signal.SIGCHLD}, 0)
    return outcomes


def main() -> None:
    """Answer batches until standard input ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for line in sys.stdin:
        batch = json.loads(line)
        if any(job.get("judging") for job in batch):
            # Imported once, on the first wish: it takes seconds.
            import symbiosys_pipeline.quality.data_docs  # noqa: PLC0415
            import symbiosys_pipeline.quality.runner  # noqa: F401, PLC0415
        outcomes = run_batch([Job(**job) for job in batch])
        sys.stdout.write(json.dumps([asdict(outcome) for outcome in outcomes]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
