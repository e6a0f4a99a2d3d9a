"""The end of the command, however it comes, ends the jobs of launchers on its machine: each with a checkpoint."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory

from .conftest import wait_for

WORDS = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    "trainer.max_steps=20000",
    "run.report=false",
    "trainer.max_epochs=2000",
    "trainer.limit_val_batches=1",
    "trainer.log_every_n_steps=1",
    "trainer.accelerator=cpu",
    "seed=1,2,3",
    "sweep.jobs=2",
    "hydra.sweep.dir=s",
)


def alive(mark: str) -> list[str]:
    """Processes that were started with this mark in their environment, but for those that wait to be collected."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if mark.encode() in (path / "environ").read_bytes() and state not in "ZX":
                found.append((path / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("launcher", "number", "code"),
    [("joblib", signal.SIGKILL, -9), ("submitit_local", signal.SIGTERM, 75)],
)
def test_no_job_outlives_the_command(launcher: str, number: signal.Signals, code: int, tmp_path: Path) -> None:
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    mark = f"MARK_OF_A_TEST={tmp_path}"
    name, _, value = mark.partition("=")
    with (tmp_path / "words.txt").open("wb") as words:
        command = subprocess.Popen(
            [sys.executable, "-m", "quatrain", "train", "-m", *WORDS, f"hydra/launcher={launcher}"],
            cwd=tmp_path,
            env={**os.environ, name: value},
            stdout=words,
            stderr=words,
        )
    runs = [RunDirectory(tmp_path)]

    def train() -> bool:
        runs[:] = [RunDirectory(path.parent) for path in tmp_path.glob("s/*/metrics.csv")]
        return len(runs) >= 2 and all(len(run.read_metrics()) > 10 for run in runs)

    assert wait_for(train, 120), (tmp_path / "words.txt").read_text()
    command.send_signal(number)
    assert command.wait(60) == code, (tmp_path / "words.txt").read_text()
    assert wait_for(lambda: not alive(mark), 20), alive(mark)
    for run in runs:
        assert run.status().status == "interrupted"
        assert any(run.checkpoints.glob("step-*.ckpt"))
