"""quatrain plan: what it tells, that it leaves nothing behind, its sweeps, and its memory against a real worker's."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import quatrain
from quatrain.__main__ import main
from quatrain.commands import plan as command
from quatrain.core.errors import UserError

pytestmark = pytest.mark.slow

SMALL = ("experiment=quick_windows", "data.verse_size=200", "trainer.accelerator=cpu", "trainer.max_steps=20")
ALWAYS = {
    "attention",
    "padding share",
    "effective batch",
    "steps per epoch",
    "optimizer steps",
    "warm-up steps",
    "tokens in all",
    "parameters",
    "parameters trained",
    "FLOPs per token",
    "FLOPs in all",
    "memory/peak",
    "memory/all ranks",
    "disk/checkpoints",
    "disk/export",
    "disk/report",
    "disk/logs",
    "disk/in all",
}

PEAK_OF_CHILD = (
    "import resource, subprocess, sys; subprocess.run([sys.executable, '-m', 'quatrain', *sys.argv[1:]], check=True,"
    " stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def test_memory_as_a_real_worker_has_it_and_nothing_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned with and without a probe, then trained: within 20 %, and the disk within 5 %."""
    monkeypatch.chdir(tmp_path)
    probed, unprobed = quatrain.plan(SMALL), quatrain.plan(SMALL, probe=False)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden files count
    assert unprobed.keys() >= ALWAYS
    assert probed.keys() - unprobed.keys() == {
        "seconds/start",
        "seconds/training",
        "seconds/validation",
        "seconds/in all",
        "batches timed",
    }
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_CHILD, "train", *SMALL, "run.dir=run"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    real = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    for planned in (probed, unprobed):
        assert planned["memory/peak"] == pytest.approx(real, rel=0.2)
    saved = (tmp_path / "run" / "checkpoints" / "last.ckpt").stat().st_size
    kept = int(probed["disk/checkpoints"]) / saved
    assert round(kept) >= 2
    assert kept == pytest.approx(round(kept), rel=0.05)
    assert probed["disk/export"] == pytest.approx((tmp_path / "run/export/model.safetensors").stat().st_size, rel=0.05)


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Let a plan be made of the config alone; return the list of the configs that were measured."""
    asked: list[Mapping[str, Any]] = []

    def stand_in(config: Mapping[str, Any], *, probe: bool = True) -> dict[str, Any]:
        asked.append(config)
        size = config["data"]["batch_size"]
        numbers = dict.fromkeys(command.COLUMNS, 100) | {"memory/all ranks": size * 10**6, "seconds/in all": size}
        return {name: value for name, value in numbers.items() if probe or name != "seconds/in all"}

    monkeypatch.setattr("quatrain.runs.planning.plan_apart", stand_in)
    return asked


def test_a_sweep_is_a_line_for_each_job_and_the_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight jobs of two sizes: two are measured; the largest peak counts, the times add up."""
    monkeypatch.chdir(tmp_path)
    asked = _counted(monkeypatch)
    assert main(["plan", "-m", *SMALL, "seed=1,2", "optimizer.lr=1e-4,1e-3", "data.batch_size=4,8"]) == 0
    assert sorted(config["data"]["batch_size"] for config in asked) == [4, 8]
    out, told = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) == 1 + 8 + 1
    assert [line.split()[0] for line in lines[1:9]] == [str(number) for number in range(8)]
    assert "seed=1 lr=0.0001 batch_size=4" in lines[1]
    assert "8.0 MB" in lines[-1]
    assert "48.0 s" in lines[-1]
    assert "experiment" not in lines[1]
    assert "8 jobs one after the other" in told
    assert "at a time" not in told
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_sweep_side_by_side_takes_less_time_and_more_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never more at a time than there are jobs; without a probe nothing is said of time."""
    _counted(monkeypatch)
    assert main(["plan", "-m", *SMALL, "seed=1,2,3", "data.batch_size=8", "sweep.jobs=2"]) == 0
    assert "sweep.jobs=2: 2 at a time, 12.0 s at best, up to 16.0 MB of memory\n" in capsys.readouterr().err
    assert main(["plan", "--no-probe", "-m", *SMALL, "seed=1,2", "data.batch_size=8", "sweep.jobs=9"]) == 0
    told = capsys.readouterr().err
    assert "sweep.jobs=9: 2 at a time, up to 16.0 MB of memory\n" in told
    assert "validations" not in told


def test_the_values_of_a_sweep_group_are_planned_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = _counted(monkeypatch)
    assert main(["plan", "--no-probe", "-m", "sweep=seeds", *SMALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(asked) == 1
    assert len(lines) == 1 + 3 + 1
    assert "time" not in lines[0]


def test_every_mistake_of_every_job_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = _counted(monkeypatch)
    assert main(["plan", "-m", *SMALL, "data.stride=8,0", "data.batch_size=4,-1"]) == 2
    said = capsys.readouterr().err
    assert "data.stride=0" in said
    assert "data.batch_size=-1" in said
    assert main(["plan", *SMALL, "seed=1,2"]) == 2
    assert "--multirun" in capsys.readouterr().err
    assert not asked
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_what_only_the_data_tell_is_refused_with_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Too short for one window.\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"data\.max_length"):
        quatrain.plan([*SMALL, f"data.source={tmp_path / 'short.txt'}", "data.validation_share=0"])


def test_a_probe_that_the_system_ends_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quatrain.runs.processes.start_worker", lambda folder, module: 137)
    with pytest.raises(UserError, match=r"signal 9.*--no-probe.*data\.batch_size"):
        quatrain.plan(SMALL)


def test_two_ranks_are_probed_as_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the batch and the memory of one; gradients stand twice, as DDP sends copies."""
    monkeypatch.chdir(tmp_path)
    planned = quatrain.plan([*SMALL, "trainer=ddp_cpu", "trainer.devices=2"])
    assert planned["effective batch"] == 32
    assert planned["memory/all ranks"] == 2 * int(planned["memory/peak"])
    assert planned["memory/gradients"] == 8 * int(planned["parameters"])
    assert float(planned["seconds/training"]) > 0
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--help"]) == 0
    said = capsys.readouterr().out
    assert "quatrain plan experiment=" in said
    assert "--no-probe" in said
