"""Processes that are killed one by one: the command, a rank, a loader; and two that want the same run."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory

from .driver import (
    assert_same,
    children_of,
    end_of,
    family_of,
    freeze,
    interrupted,
    is_there,
    python,
    quatrain,
    resumed,
    under_way,
    wait_for,
)

RANKS = ("trainer=ddp_cpu", "trainer.devices=2")


@pytest.fixture(scope="module")
def whole_of_two(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = freeze(tmp_path_factory.mktemp("undisturbed-ranks") / "run", *RANKS)
    assert resumed(run)[0] == 0
    return run


def gone_within(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(map(is_there, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(is_there, pids))


def test_kill_9_of_the_command(tmp_path: Path, whole: RunDirectory) -> None:
    """Its worker and the worker's loaders are gone within two seconds, and at once the run can go on."""
    run = freeze(tmp_path / "run", "data.num_workers=2")
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run))
    family = family_of(process.pid)
    assert len(family) >= 3
    process.kill()
    assert gone_within(family, 2.0)
    end_of(process)
    assert run.status().status == "interrupted"
    assert resumed(run)[0] == 0
    assert_same(run, whole)


def test_kill_9_of_a_loader(tmp_path: Path, whole: RunDirectory) -> None:
    run = freeze(tmp_path / "run", "data.num_workers=2")
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run))
    (worker,) = children_of(process.pid)
    loader = children_of(worker)[0]
    os.kill(loader, signal.SIGKILL)
    code, said = end_of(process)
    assert code == 1
    # torch notices by the signal that a child's end sends, or first by the silence of its queue
    assert re.search(
        rf"process {loader}, one of data.num_workers, (is killed by signal: Killed|exited unexpected)", said
    )
    assert "The loader process" in str(run.status().why)
    assert resumed(run)[0] == 0
    assert_same(run, whole)


def test_kill_9_of_a_rank(tmp_path: Path, whole_of_two: RunDirectory) -> None:
    run = freeze(tmp_path / "run", *RANKS)
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run))
    family = family_of(process.pid)
    (worker,) = children_of(process.pid)
    (rank,) = children_of(worker)
    os.kill(rank, signal.SIGKILL)
    sent = time.monotonic()
    code, said = end_of(process)
    assert time.monotonic() - sent < 15
    assert code not in (0, 2), said
    assert gone_within(family, 2.0)
    assert run.status().status in ("failed", "interrupted")
    assert resumed(run)[0] == 0
    assert_same(run, whole_of_two)


@pytest.mark.parametrize("who", ["the second rank", "torchrun"])
def test_sigterm_under_torchrun(who: str, tmp_path: Path, whole_of_two: RunDirectory) -> None:
    """One rank is asked and both stop; torchrun starts the run again, and it goes on."""
    run = freeze(tmp_path / "run", *RANKS)
    words = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "quatrain.worker")
    process = python(*words, str(run.path))
    wait_for(lambda: under_way(run))
    ranks = sorted(children_of(process.pid))
    asked = {"the second rank": ranks[-1], "torchrun": process.pid}[who]
    os.kill(asked, signal.SIGTERM)
    sent = time.monotonic()
    assert end_of(process)[0] != 0
    assert time.monotonic() - sent < 15
    assert run.status().status == "interrupted"
    assert end_of(python(*words, str(run.path)))[0] == 0
    assert_same(run, whole_of_two)


def test_two_resumes_at_once(tmp_path: Path, whole: RunDirectory) -> None:
    run = interrupted(tmp_path / "run")
    both = [quatrain("resume", str(run.path)) for _ in range(2)]
    ends = sorted(end_of(process) for process in both)
    assert [code for code, _ in ends] == [0, 2]
    assert "is being run by" in ends[1][1]
    assert_same(run, whole)


def test_ctrl_c_twice_ends_at_once(tmp_path: Path, whole: RunDirectory) -> None:
    """The second one does not wait for the step, and the shell sees what it sees of any program."""
    run = freeze(tmp_path / "run")
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run))
    (worker,) = children_of(process.pid)
    os.kill(worker, signal.SIGSTOP)  # a step that takes long
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    code, said = end_of(process)
    assert time.monotonic() - sent < 2
    assert code == 130, said
    assert "memory" not in said
    assert resumed(run)[0] == 0
    assert_same(run, whole)
