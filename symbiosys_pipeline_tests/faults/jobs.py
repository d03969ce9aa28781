"""What a worker is asked to do, and how it ended. Nothing is run here."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """One process to run.

    Attributes:
        home: Folder of ledger and lake.
        source: Folder of the client's files.
        kill_at: Die, as by `kill -9`, at this point of the run, counted from 0.
        kill_after: Be killed from outside after so many seconds.
        judging: Judge by the rule catalogue; otherwise every day is accepted without looking.
        kill_in_rules: Die when the rules have run and nothing is recorded yet.
        pause_in: Step in which to stop once, before what it made is recorded.
        pause_on: Stop at this event day only.
        pause_paths: The two FIFOs of that pause, at which another process waits: reached, resume.
        wait_paths: The same FIFOs, for the process that runs during the pause.
        swap_with: Shelf with which to exchange the second day's files first.
        largest_file: No file may grow beyond so many bytes in `limited_in`, as on a disk that is full.
        limited_in: The step during which that holds.
    """

    home: str
    source: str
    kill_at: int | None = None
    kill_after: float | None = None
    judging: bool = False
    kill_in_rules: bool = False
    pause_in: str | None = None
    pause_on: str | None = None
    pause_paths: tuple[str, str] | None = None
    wait_paths: tuple[str, str] | None = None
    swap_with: str | None = None
    largest_file: int | None = None
    limited_in: str | None = None


@dataclass
class Outcome:
    """How a process ended.

    Attributes:
        status: Its exit status; minus the signal's number where one ended it.
        points: Where it could have been killed, as "step: what": before each replacement of a file, before
            and after each commit. After a replacement is before what comes next.
        stale: How often a rebuild found that its inputs had changed.
        failures: What the run reports in words and goes on after.
        error: What ended the run.
    """

    status: int = 0
    points: list[str] = field(default_factory=list[str])
    stale: int = 0
    failures: list[str] = field(default_factory=list[str])
    error: str | None = None
