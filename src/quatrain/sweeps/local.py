"""A sweep on this machine: its jobs side by side, its end told."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from quatrain.core.exit_codes import INTERRUPTED, KILLED
from quatrain.core.terminal import one_line
from quatrain.runs.listing import shown_path
from quatrain.sweeps.dealing import Dealer, Share, is_single, visible_gpus
from quatrain.sweeps.forkserver import warm_up
from quatrain.sweeps.job import Ended, Job, Source
from quatrain.sweeps.one_job import run_job, sweep_begins
from quatrain.sweeps.progress import Progress
from quatrain.sweeps.schedule import Schedule, listening
from quatrain.sweeps.workers import Workers


class SweepInterrupted(BaseException):
    """A signal ended the sweep, with the exit ``code`` for it; ``how_far`` says what came of its jobs."""

    def __init__(self, code: int, how_far: str = "") -> None:
        said = f"the sweep ends here, {how_far}" if how_far else "the sweep ends here"
        super().__init__(f"{said}; the same command goes on with it")
        self.code = code


class Grid:
    """Jobs that are known from the start."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = list(jobs)
        self.total = len(self._jobs)
        self._waiting = iter(self._jobs)

    def next(self) -> Job | None:
        """The next of them."""
        return next(self._waiting, None)

    def ended(self, ended: Ended) -> None:
        """Nothing follows from it."""


def run_sweep(source: Source, folder: Path, *, jobs: int, fail_fast: bool) -> list[Ended]:
    """Run the jobs of ``source`` in ``folder``, ``jobs`` at a time, and return how each ended.

    Every job has a process of its own; none outlives this one. A signal that asks for a stop is handed to all of them,
    and no other starts.

    Raises:
        SweepInterrupted: a signal ended it, when all have ended.
        NotNow: the folder cannot be written.
    """
    since = sweep_begins(folder)
    _announce(source.total, folder, jobs)
    gpus = visible_gpus()
    workers = Workers()
    warm_up()

    def run_one(job: Job, share: Share) -> Ended | None:
        slot = workers.slot(cold=not is_single(job.config, len(share.gpus) or len(gpus)))
        variables = share.environment
        return run_job(job, folder, start=slot.start, on_lost=slot.kill, environment=variables, since=since)

    dealer = Dealer(jobs, gpus=gpus)
    with Progress(source.total, folder, jobs=jobs) as progress:
        schedule = Schedule(source, run_one, dealer=dealer, jobs=jobs, fail_fast=fail_fast, progress=progress)

        def stop(number: int) -> None:
            schedule.stop()
            workers.hand_on(number)

        with listening(stop, workers.kill) as received:
            try:
                ended = schedule.run()
            except BaseException:
                workers.kill()
                raise
    if received:
        raise SweepInterrupted(KILLED if workers.killed else INTERRUPTED, _how_far(ended, source.total))
    return ended


def _how_far(ended: Sequence[Ended], total: int) -> str:
    """How many jobs ended in which way, and how many did not begin."""
    number = Counter(one.status for one in ended)
    said = [f"{number['done']:,} of {total:,} jobs done"]
    said += [f"{number[status]:,} {status}" for status in ("pruned", "failed", "interrupted") if number[status]]
    waiting = total - len(ended)
    return ", ".join([*said, f"{waiting:,} not begun"] if waiting > 0 else said)


def _announce(total: int, folder: Path, jobs: int) -> None:
    """Say what begins and where, before seconds of imports."""
    many = f"{total:,} job{'' if total == 1 else 's'}"
    at_once = f", {jobs:,} at a time" if jobs > 1 else ""
    print(one_line(f"{many}{at_once}, in {shown_path(folder)}"), file=sys.stderr, flush=True)
