"""Real runs, in processes of their own, for faults to be done to."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quatrain.config.compose import compose
from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
SMALL = (
    "experiment=quick_mrpc",
    "data.verse_size=300",
    "data.batch_size=8",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "run.report=false",
    "model.config.hidden_size=64",
    "model.config.num_attention_heads=2",
    "model.config.hidden_dropout_prob=0.1",
    "callbacks.checkpoints.every_n_steps=2",
)
"""Sixty steps; a checkpoint is of about a megabyte."""


def freeze(folder: Path, *overrides: str) -> RunDirectory:
    """A run directory as quatrain train makes it."""
    every = [*SMALL, *overrides]
    return RunDirectory.create(folder, compose(every), every)


def quatrain(*words: str, **arguments: Any) -> "subprocess.Popen[str]":
    """Start the command in a group of its own; what it says is kept."""
    return python("-m", "quatrain", *words, **arguments)


def python(*words: str, environment: dict[str, str] | None = None, **arguments: Any) -> "subprocess.Popen[str]":
    own = {"PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, *words],
        env=os.environ | own | (environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        **arguments,
    )


def end_of(process: "subprocess.Popen[str]", seconds: float = 180.0) -> tuple[int, str]:
    """Wait for the end; the exit code, and what was said on standard error."""
    try:
        said = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said


def resumed(run: RunDirectory, **arguments: Any) -> tuple[int, str]:
    return end_of(quatrain("resume", str(run.path), **arguments))


def wait_for(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.01)
    return found


def under_way(run: RunDirectory, steps: int = 8) -> bool:
    """Whether that many steps are logged."""
    return run.metrics_file.exists() and run.metrics_file.read_bytes().count(b"\n") > steps


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def family_of(pid: int) -> list[int]:
    """All that descends from a process."""
    return [one for child in children_of(pid) for one in (child, *family_of(child))]


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def interrupted(folder: Path, *overrides: str) -> RunDirectory:
    """A run that SIGTERM ended in the midst."""
    run = freeze(folder, *overrides)
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run))
    process.terminate()
    assert end_of(process)[0] == 75
    return run


def told(run: RunDirectory) -> list[dict[str, str]]:
    with run.metrics_file.open(encoding="utf-8", newline="") as file:
        return [
            {name: text for name, text in row.items() if not name.endswith(OF_TIME)} for row in csv.DictReader(file)
        ]


def assert_same(run: RunDirectory, whole: RunDirectory) -> None:
    """That the run is done and is the undisturbed one, to the bit, and that nothing half-written is left."""
    assert run.status().status == "done"
    assert told(run) == told(whole)
    assert (run.export / "model.safetensors").read_bytes() == (whole.export / "model.safetensors").read_bytes()
    assert not [*run.path.glob(".*.tmp"), *run.checkpoints.glob(".*.tmp")]
