"""Proves what `Schedule` promises, with jobs that are functions: how many at a time, each once, in which order."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from quatrain.sweeps import schedule
from quatrain.sweeps.dealing import Dealer, Share
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.schedule import RunOne, Schedule

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "POLL_SECONDS", 0.05)


class Listed:
    """A source of a list, which notes what it hears and in which thread."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.total = len(jobs)
        self._jobs = list(jobs)
        self.heard: list[Ended] = []
        self.threads: set[int] = set()

    def next(self) -> Job | None:
        self.threads.add(threading.get_ident())
        return self._jobs.pop(0) if self._jobs else None

    def ended(self, ended: Ended) -> None:
        self.threads.add(threading.get_ident())
        self.heard.append(ended)


class Shown:
    """Progress that keeps what it was shown."""

    def __init__(self) -> None:
        self.elsewhere: list[int] = []
        self.ends: list[int] = []

    def show(self, running: Sequence[Job], elsewhere: Sequence[Job]) -> None:
        self.elsewhere.append(len(elsewhere))

    def ended(self, ended: Ended) -> None:
        self.ends.append(ended.job.number)


class Ran:
    """Runs jobs for a moment, and counts."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.order: list[int] = []
        self.most = 0
        self._seconds, self._now, self._lock = seconds, 0, threading.Lock()

    def __call__(self, job: Job, share: Share) -> Ended | None:
        with self._lock:
            self.order.append(job.number)
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        return Ended(job, "done")


def planned(source: Listed, run_one: RunOne, jobs: int = 2, *, fail_fast: bool = False, **dealer: Any) -> Schedule:
    shown: Any = Shown()
    deals = Dealer(jobs, **{"cores": 4, "gpus": [], **dealer})
    return Schedule(source, run_one, dealer=deals, jobs=jobs, fail_fast=fail_fast, progress=shown)


@pytest.mark.parametrize("jobs", [1, 3, 50])
def test_so_many_at_a_time_and_never_more(a_job: MakeJob, jobs: int) -> None:
    source, ran = Listed([a_job(number) for number in range(12)]), Ran(0)
    together = threading.Barrier(min(jobs, 12))

    def run_one(job: Job, share: Share) -> Ended | None:
        together.wait(10)  # until so many run
        return ran(job, share)

    ends = planned(source, run_one, jobs).run()
    assert ran.most <= jobs
    assert sorted(one.job.number for one in ends) == list(range(12))
    assert source.heard == ends
    assert source.threads == {threading.get_ident()}


def test_one_at_a_time_keeps_the_order(a_job: MakeJob) -> None:
    ran = Ran(0)
    planned(Listed([a_job(number) for number in (4, 1, 3)]), ran, 1).run()
    assert ran.order == [4, 1, 3]


def test_no_jobs(a_job: MakeJob) -> None:
    assert planned(Listed([]), Ran()).run() == []


def test_equal_jobs_run_once_and_share_what_came_of_it(a_job: MakeJob, tmp_path: Path) -> None:
    """Whether the twin comes while the first runs or after; what is decoration of a job does not set it apart."""
    same = [a_job(0, seed=7, overrides=["seed=7"]), a_job(1, seed=8), a_job(2, seed=7, overrides=["+seed=7"])]
    source = Listed([*same, a_job(3, seed=7, sweep={"retries": 5})])
    ran = Ran()
    ends = {one.job.number: one for one in planned(source, ran, 2).run()}
    assert sorted(ran.order) == [0, 1]
    assert [ends[number].skipped for number in range(4)] == [False, False, True, True]
    assert ends[2].job is same[2]
    assert len(source.heard) == 4


def test_the_twin_of_a_failed_job_failed_with_it(a_job: MakeJob) -> None:
    jobs = [a_job(0, seed=7), a_job(1, seed=7)]
    ends = planned(Listed(jobs), lambda job, share: Ended(job, "failed", None, "it broke"), 2).run()
    assert [(one.status, one.why, one.skipped) for one in ends] == [
        ("failed", "it broke", False),
        ("failed", "it broke", True),
    ]


def test_jobs_of_another_sweep_are_asked_for_again_while_others_run(a_job: MakeJob) -> None:
    """Not more often than `POLL_SECONDS`; a twin waits with them."""
    asked: list[float] = []

    def run_one(job: Job, share: Share) -> Ended | None:
        if job.number == 0:
            asked.append(time.monotonic())
            return Ended(job, "done", skipped=True) if len(asked) == 4 else None
        time.sleep(0.01)
        return Ended(job, "done")

    source = Listed([a_job(0), a_job(1), a_job(9, seed=0), a_job(2)])
    ends = planned(source, run_one, 1).run()
    assert [one.job.number for one in ends] == [1, 2, 0, 9]
    assert len(asked) == 4
    assert all(later - sooner >= schedule.POLL_SECONDS for sooner, later in itertools.pairwise(asked))


def test_what_runs_elsewhere_is_shown(a_job: MakeJob) -> None:
    left = [None, None]

    def run_one(job: Job, share: Share) -> Ended | None:
        return left.pop() if left else Ended(job, "done")

    plan = planned(Listed([a_job(0)]), run_one)
    plan.run()
    shown: Any = plan._progress
    assert 1 in shown.elsewhere
    assert shown.ends == [0]


def test_fail_fast_lets_those_that_run_end_and_starts_no_other(a_job: MakeJob) -> None:
    begun: list[int] = []

    def run_one(job: Job, share: Share) -> Ended | None:
        begun.append(job.number)
        time.sleep(0.01 if job.number == 0 else 0.1)
        return Ended(job, "failed", None, "it broke") if job.number == 0 else Ended(job, "done")

    source = Listed([a_job(number) for number in range(6)])
    ends = planned(source, run_one, 2, fail_fast=True).run()
    assert sorted(begun) == [0, 1]
    assert [(one.job.number, one.status) for one in ends] == [(0, "failed"), (1, "done")]
    plain = Listed([a_job(number) for number in range(6)])
    assert len(planned(plain, run_one, 2).run()) == 6


def test_after_stop_no_job_starts(a_job: MakeJob) -> None:
    """Neither one that waits for another sweep, for which nobody waits any longer."""
    plan: Schedule

    def run_one(job: Job, share: Share) -> Ended | None:
        if job.number == 0:
            return None
        plan.stop()
        return Ended(job, "interrupted", None, "SIGTERM stopped the run.")

    plan = planned(Listed([a_job(number) for number in range(4)]), run_one, 1)
    assert [(one.job.number, one.status) for one in plan.run()] == [(1, "interrupted")]


@pytest.mark.parametrize("error", [ZeroDivisionError("a mistake of ours"), KeyboardInterrupt()])
def test_a_programming_error_comes_out_and_nothing_hangs(a_job: MakeJob, error: BaseException) -> None:
    def run_one(job: Job, share: Share) -> Ended | None:
        if job.number == 1:
            raise error
        time.sleep(0.2)
        return Ended(job, "done")

    with pytest.raises(type(error)):
        planned(Listed([a_job(number) for number in range(4)]), run_one, 2).run()


def test_a_job_that_finds_too_few_gpus_free_waits_for_them(a_job: MakeJob) -> None:
    """In its turn: a smaller one that comes later does not overtake it for ever."""
    held: list[tuple[int, tuple[str, ...]]] = []

    def run_one(job: Job, share: Share) -> Ended | None:
        held.append((job.number, share.gpus))
        time.sleep(0.02)
        return Ended(job, "done")

    devices = (1, 2, 1)
    jobs = [a_job(number, trainer={"accelerator": "gpu", "devices": several}) for number, several in enumerate(devices)]
    planned(Listed(jobs), run_one, 3, gpus=["0", "1"]).run()
    assert held == [(0, ("0",)), (1, ("0", "1")), (2, ("0",))]


def test_a_source_that_learns_is_asked_when_there_is_room(a_job: MakeJob) -> None:
    """What it says next may follow from what has ended."""
    source = Listed([a_job(number) for number in range(5)])
    known: list[int] = []

    class Learning(Listed):
        def next(self) -> Job | None:
            known.append(len(self.heard))
            return super().next()

    source = Learning([a_job(number) for number in range(4)])
    planned(source, Ran(0), 1).run()
    assert known[:4] == [0, 1, 2, 3]
