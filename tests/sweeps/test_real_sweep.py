"""Real sweeps of the smallest runs: two at once on one folder, then the same command again."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory

pytestmark = pytest.mark.slow

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
SMALLEST = (
    "experiment=quick_windows",
    "data.source=whole.txt,broken.parquet",
    "data.batch_size=4",
    "data.max_length=32",
    "data.stride=32",
    "tokenizer.vocab_size=300",
    "model.config.n_embd=16",
    "model.config.n_head=2",
    "model.config.n_layer=1",
    "trainer.accelerator=cpu",
    "trainer.max_steps=2",
    "run.report=false",
    "trainer.limit_val_batches=1",
    "sweep.jobs=2",
    "sweep.name=tiny",
)
"""Of two jobs one is done, and the other fails in its worker: what is wrong with its file shows at its end."""


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[[], "subprocess.Popen[str]"]:
    (tmp_path / "whole.txt").write_text("So long lives this, and this gives life to thee.\n" * 200)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "quatrain", "train", "-m", *SMALLEST],
            env=os.environ | {"PYTHONPATH": SOURCE, "HF_HUB_OFFLINE": "1"},
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_sweeps_that_share_a_folder_and_the_same_command_again(
    sweep: Callable[[], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """Every job has a folder with its console, and runs once; the failed one is told with its log, and tried again by
    the next command, which skips the other."""
    both = [sweep() for _ in range(2)]
    words = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [1, 1]
    folder = tmp_path / "outputs" / "sweeps" / "tiny"
    runs = {path.name.partition("_")[0]: RunDirectory(path) for path in folder.glob("source-*")}
    assert sorted(runs) == ["source-broken.parquet", "source-whole.txt"]
    assert len(list(folder.iterdir())) == 3  # and the claims, of which none is left
    assert [path.name for path in (folder / ".claims").iterdir()] == ["lock"]
    broken, whole = runs["source-broken.parquet"], runs["source-whole.txt"]
    assert (whole.status().status, broken.status().status) == ("done", "failed")
    assert "val/loss" in whole.metrics_file.read_text()
    for run in runs.values():
        assert "accelerator: cpu" in (run.path / "console.log").read_text()
    for said in words:
        assert "Traceback" not in said
        assert "1 of 2 jobs done, 1 failed" in said
        assert "broken.parquet cannot be read as parquet" in said
        assert said.startswith("2 jobs, 2 at a time, in outputs/sweeps/tiny\n")
        assert f"    {broken.log.relative_to(tmp_path)}\n" in said
        assert "best: val/loss" in said
    assert sum(said.count("done after") for said in words) == 1
    assert sum(said.count("failed after") for said in words) == 1

    again = sweep()
    said = again.communicate(timeout=120)[1]
    assert again.returncode == 1
    assert "was done already: source-whole.txt" in said
    assert said.count("failed after") == 1
    assert sorted(path.name for path in folder.glob("source-*")) == sorted(
        [broken.path.name, f"{broken.path.name}.attempt1", whole.path.name]
    )


def test_the_forkserver_imports_all_that_runs_need_and_does_nothing_else() -> None:
    """What cannot be imported passes in silence, so a library that moved would make every job slower unnoticed."""
    code = """
import sys, threading
import quatrain.sweeps.preloaded as preloaded
import torch
assert not (missing := [name for name in preloaded.LIBRARIES if name not in sys.modules]), missing
assert {"quatrain.worker", "quatrain.training.experiment", "quatrain.runs.record"} <= sys.modules.keys()
assert "hydra" not in sys.modules
assert threading.active_count() == 1
assert not torch.cuda.is_initialized()
"""
    own = os.environ | {"PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
