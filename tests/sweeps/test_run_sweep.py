"""Proves what ends a sweep: its jobs, a signal, a second Ctrl-C, or a mistake of ours; its workers are pretended."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.core.asking import ASKING
from quatrain.core.exit_codes import INTERRUPTED, KILLED
from quatrain.sweeps import local
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.local import Grid, SweepInterrupted, run_sweep
from quatrain.sweeps.workers import Slot, Workers

MakeJob = Callable[..., Job]


class Pretended(Workers):
    """Starts no process, and keeps the signals that workers would get."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[int] = []
        self.cold: list[bool] = []
        self.heard = threading.Event()

    def slot(self, *, cold: bool, module: str = "") -> Slot:
        self.cold.append(cold)
        return super().slot(cold=cold, module=module)

    def hand_on(self, number: int) -> None:
        self.sent.append(number)
        self.heard.set()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    pretended = Pretended()
    monkeypatch.setattr(local, "Workers", lambda: pretended)
    monkeypatch.setattr(local, "warm_up", lambda: None)
    monkeypatch.setattr(local, "visible_gpus", list)
    return pretended


def running(monkeypatch: pytest.MonkeyPatch, run: Callable[[Job], Ended | None]) -> None:
    monkeypatch.setattr(local, "run_job", lambda job, folder, **_: run(job))


def test_all_jobs_and_which_start_cold(
    a_job: MakeJob, tmp_path: Path, workers: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, lambda job: Ended(job, "done"))
    jobs = [a_job(0), a_job(1, trainer={"devices": 2}), a_job(2)]
    ended = run_sweep(Grid(jobs), tmp_path, jobs=1, fail_fast=False)
    assert [one.job for one in ended] == jobs
    assert workers.cold == [False, True, False]
    assert workers.sent == []


@pytest.mark.parametrize(
    ("numbers", "sent", "code"),
    [
        ([signal.SIGTERM], [signal.SIGTERM], INTERRUPTED),
        ([signal.SIGUSR1], [signal.SIGUSR1], INTERRUPTED),
        ([signal.SIGTERM, signal.SIGTERM], [signal.SIGTERM, signal.SIGTERM], INTERRUPTED),
        ([signal.SIGTERM, signal.SIGINT], [signal.SIGTERM, signal.SIGINT], INTERRUPTED),
        ([signal.SIGINT, signal.SIGINT], [signal.SIGINT, signal.SIGKILL], KILLED),
    ],
)
def test_signals_are_handed_on_and_no_other_job_starts(
    a_job: MakeJob,
    tmp_path: Path,
    workers: Pretended,
    monkeypatch: pytest.MonkeyPatch,
    numbers: list[int],
    sent: list[int],
    code: int,
) -> None:
    begun = []

    def run(job: Job) -> Ended:
        begun.append(job.number)
        for number in numbers:
            workers.heard.clear()
            os.kill(os.getpid(), number)
            assert workers.heard.wait(5)
        return Ended(job, "interrupted", None, "stopped")

    running(monkeypatch, run)
    before = [signal.getsignal(number) for number in ASKING]
    with pytest.raises(SweepInterrupted) as interrupted:
        run_sweep(Grid([a_job(number) for number in range(3)]), tmp_path, jobs=1, fail_fast=False)
    assert interrupted.value.code == code
    assert "1 interrupted, 2 not begun; the same command goes on" in str(interrupted.value)
    assert workers.sent == sent
    assert begun == [0]
    assert [signal.getsignal(number) for number in ASKING] == before


def test_a_mistake_of_ours_leaves_no_worker_behind(
    a_job: MakeJob, tmp_path: Path, workers: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(job: Job) -> Ended:
        if job.number == 0:
            raise ZeroDivisionError("a mistake of ours")
        assert workers.heard.wait(5)
        return Ended(job, "interrupted", None, "killed")

    running(monkeypatch, run)
    with pytest.raises(ZeroDivisionError):
        run_sweep(Grid([a_job(number) for number in range(2)]), tmp_path, jobs=2, fail_fast=False)
    assert workers.sent == [signal.SIGKILL]
