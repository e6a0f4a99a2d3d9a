"""Proves that each job is one run of W&B's: in a sweep, where one fails, and where several ranks train."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.core.exit_codes import DONE, FAILED
from quatrain.runs.directory import RunDirectory

from .conftest import TINY
from .what_wandb_wrote import Written, files_of, read

pytestmark = pytest.mark.slow

OFFLINE = ("logger=wandb", "logger.wandb.mode=offline", "logger.wandb.system_metrics=false", "trainer.max_steps=2")


def train(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quatrain", "train", *words]
    return subprocess.run(
        command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=200, check=False
    )


def test_three_jobs_one_of_which_fails_are_three_runs_of_one_group(tmp_path: Path) -> None:
    own = ("speed.precision=32-true", "optimizer.lr=1e-3,1e30,1e-2", "sweep.name=rates", "sweep.jobs=2")
    done = train(tmp_path, "-m", *TINY, *OFFLINE, *own)
    assert done.returncode == FAILED, done.stderr
    runs = [RunDirectory(config.parent) for config in (tmp_path / "outputs/sweeps/rates").glob("*/config.yaml")]
    found: dict[float, Written] = {}
    for run in runs:
        (file,) = files_of(run.path)
        found[run.read_config()["optimizer"]["lr"]] = read(file)
    assert {rate: written.exit_code for rate, written in found.items()} == {1e-3: DONE, 1e30: FAILED, 1e-2: DONE}
    assert len({written.run.run_id for written in found.values()}) == 3
    assert {written.run.run_group for written in found.values()} == {"quick_mrpc/rates"}
    assert len({written.run.display_name for written in found.values()}) == 3
    assert found[1e-3].steps("train/loss") == found[1e-2].steps("train/loss") == [1, 2]


def test_two_ranks_are_one_run(tmp_path: Path) -> None:
    done = train(tmp_path, *TINY, *OFFLINE, "trainer=ddp_cpu", "trainer.devices=2", "run.dir=run")
    assert done.returncode == DONE, done.stderr
    (file,) = files_of(tmp_path / "run")
    written = read(file)
    assert written.exit_code == DONE
    assert written.steps("train/loss") == [1, 2]
    assert written.steps("val/loss") == [2]
