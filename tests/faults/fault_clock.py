"""A clock that jumps: back and forth while a run is under way, and the times of its files with it."""

import os
import time
from pathlib import Path

from quatrain.runs.directory import RunDirectory
from quatrain.training.checkpoint_files import saved_in

from .driver import assert_same, end_of, freeze, quatrain, resumed, under_way, wait_for

JUMPING = """
import itertools, time
real, jumps = time.time, itertools.cycle((0, 86400, -86400, 3e8))
time.time = lambda: real() + next(jumps)
"""
"""Every question for the time is answered with another day."""


def test_a_clock_that_jumps(tmp_path: Path, whole: RunDirectory) -> None:
    """The wall clock of the process, and the newest checkpoints made the oldest by their times."""
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    source = os.environ.get("PYTHONPATH", "")
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).resolve().parents[2] / "src"), source])}
    run = freeze(tmp_path / "run", "callbacks.checkpoints.keep=4")
    process = quatrain("resume", str(run.path), environment=path)
    wait_for(lambda: under_way(run, 12))
    process.kill()
    end_of(process)
    now = time.time()
    steps = [saved.step for saved in saved_in(run.checkpoints)]
    for years, saved in enumerate(saved_in(run.checkpoints)):
        os.utime(saved.path, (now + (years - 1) * 3e7, now + (years - 1) * 3e7))
    assert [saved.step for saved in saved_in(run.checkpoints)] == steps
    code, said = resumed(run, environment=path)
    assert code == 0, said
    assert f"going on after step {steps[0]}" in said
    assert_same(run, whole)
