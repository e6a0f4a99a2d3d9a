"""Memory that does not suffice: a real limit on the address space of the worker."""

import resource
from pathlib import Path

import pytest

from quatrain.runs.changes import read_changes
from quatrain.runs.directory import RunDirectory

from .driver import children_of, end_of, quatrain, wait_for

LARGE = (
    "experiment=quick_windows",
    "data.verse_size=1500",
    "data.max_length=64",
    "data.stride=64",
    "data.batch_size=256",
    "trainer.max_epochs=null",
    "trainer.max_steps=2",
    "run.report=false",
    "model.config.n_embd=64",
)
ROOM = 700 << 20
"""Bytes above what a run with a small batch takes."""


@pytest.fixture(scope="module")
def limit(tmp_path_factory: pytest.TempPathFactory) -> int:
    """An address space in which a small batch fits, and the large one does not."""
    run = freeze_large(tmp_path_factory.mktemp("small") / "run", "data.batch_size=8")
    process = quatrain("resume", str(run.path))
    peak = 0

    def ended() -> bool:
        nonlocal peak
        for pid in children_of(process.pid):
            peak = max(peak, peak_of(pid))
        return process.poll() is not None

    wait_for(ended)
    assert end_of(process)[0] == 0
    return peak + ROOM


def freeze_large(folder: Path, *overrides: str) -> RunDirectory:
    from quatrain.config.compose import compose

    every = [*LARGE, "trainer.accelerator=cpu", "speed.precision=32-true", *overrides]
    return RunDirectory.create(folder, compose(every), every)


def peak_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmPeak")), 0)


def with_limit(run: RunDirectory, limit: int) -> tuple[int, str]:
    return end_of(
        quatrain("resume", str(run.path), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    )


def test_out_of_memory_says_what_to_lower(tmp_path: Path, limit: int) -> None:
    run = freeze_large(tmp_path / "run", "data.batch_size=2048")
    code, said = with_limit(run, limit)
    assert code == 1, said
    assert "The memory of the machine did not suffice with data.batch_size=2048" in said
    assert "data.batch_size=1024 trainer.accumulate_grad_batches=2" in said
    assert run.status().status == "failed"
    assert not run.changes.exists()


def test_auto_batch_halves_until_it_fits(tmp_path: Path, limit: int) -> None:
    run = freeze_large(tmp_path / "run", "data.batch_size=2048", "trainer.auto_batch=true")
    code, said = with_limit(run, limit)
    assert code == 0, said
    settings = [change.set for change in read_changes(run)]
    assert settings[0]["data.batch_size"] == 1024
    for one in settings:
        assert one["data.batch_size"] * one["trainer.accumulate_grad_batches"] == 2048
    assert run.status().status == "done"
    assert [row["step"] for row in run.read_metrics() if "train/loss" in row] == [1, 2]
