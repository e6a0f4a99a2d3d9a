"""A sweep on a local Ray cluster: the losses of the same jobs on this machine, and nothing of Ray left afterwards.

Runs in an environment of its own (`make ray`): Ray's launcher wants a cloudpickle that joblib refuses.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory

pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="could not run: make ray")

WORDS = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    "trainer.max_steps=3",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=2",
    "trainer.log_every_n_steps=1",
    "speed.precision=32-true",
    "seed=1,2",
    "optimizer.lr=1e-3,3e-3",
    "hydra.sweep.dir=s",
)


def sweep(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    folder.mkdir()
    command = [sys.executable, "-m", "quatrain", "train", "-m", *WORDS, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def losses(root: Path) -> dict[str, list[dict[str, float]]]:
    """Every row of every job, without what depends on the machine's load."""
    found = {}
    for path in root.glob("*/metrics.csv"):
        rows = RunDirectory(path.parent).read_metrics()
        found[path.parent.name] = [{k: v for k, v in row.items() if not k.endswith(OF_TIME)} for row in rows]
    return found


def of_ray() -> set[int]:
    """Processes that belong to a cluster of this environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if b"ray::" in words or (sys.prefix.encode() in words and b"/ray/" in words):
            found.add(int(path.name))
    return found


def test_a_sweep_of_four_jobs_on_a_local_cluster(tmp_path: Path) -> None:
    before = of_ray()
    done = sweep(tmp_path / "ray", "hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 jobs done" in done.stderr
    end = time.monotonic() + 10
    while (left := of_ray() - before) and time.monotonic() < end:
        time.sleep(0.2)
    assert not left
    alone = sweep(tmp_path / "alone", "hydra/launcher=local")
    assert alone.returncode == 0, alone.stderr
    here = losses(tmp_path / "alone" / "s")
    assert len(here) == 4
    assert losses(tmp_path / "ray" / "s") == here
