"""A sweep under a launcher of others: a process for each job, its losses those of the job alone, failures told."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory

from .conftest import SMALL


def test_jobs_side_by_side_in_joblibs_processes(
    run_here: Callable[..., tuple[RunDirectory, int]], tmp_path: Path
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    (tmp_path / "launch").mkdir()
    common = ("experiment=quick_windows", *SMALL, "data.max_length=16", "data.stride=16", "speed.precision=32-true")
    words = ("optimizer.lr=1e-3,1e30", "hydra/launcher=joblib", "sweep.jobs=2", "hydra.sweep.dir=s")
    done = subprocess.run(
        [sys.executable, "-m", "quatrain", "train", "-m", *common, *words],
        cwd=tmp_path / "launch",
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "1 of 2 jobs done, 1 failed" in done.stderr
    assert "is nan" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    found = {run.read_config()["optimizer"]["lr"]: run for run in _runs(tmp_path / "launch" / "s")}
    assert found[1e30].status().status == "failed"
    threads = max(1, len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else 1
    assert f"threads: {threads} (" in found[1e-3].log.read_text(), "the cores are divided"
    alone, _ = run_here(*common, "optimizer.lr=1e-3", name="alone")
    assert _losses(found[1e-3]) == _losses(alone)


def _runs(root: Path) -> list[RunDirectory]:
    return [RunDirectory(path.parent) for path in root.glob("*/config.yaml")]


def _losses(run: RunDirectory) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if not name.endswith(OF_TIME)} for row in run.read_metrics()]
