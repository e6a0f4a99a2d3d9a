"""The command itself, in processes of its own: exit codes, sentences, nothing left behind, nothing overwritten."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAST = ("data.verse_size=60", "trainer.max_steps=2", "run.report=false", "trainer.accelerator=cpu", "data.batch_size=8")


def quatrain(*words: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "quatrain", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_single_run_prints_its_table_and_never_touches_an_existing_directory(tmp_path: Path) -> None:
    first = quatrain("train", *FAST, "run.dir=mine", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    for wanted in (
        "val/loss",
        "val/perplexity",
        "unigram perplexity of the same text",
        "everything lies in",
        "try next",
    ):
        assert wanted in first.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")}
    second = quatrain("train", *FAST, "run.dir=mine", cwd=tmp_path)
    assert second.returncode == 2
    assert "run.dir=" in second.stderr
    assert "exists already" in second.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*")} == before


def test_a_mistake_exits_with_2_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = quatrain("train", "data.batch_sise=3", "model=tinny_bert", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_input_that_only_the_worker_can_judge_leaves_nothing_behind_either(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Too short for one window.\n", encoding="utf-8")
    done = quatrain(
        "train", "experiment=quick_windows", "data.source=short.txt", "tokenizer.min_frequency=1", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["short.txt"]


def test_an_unreachable_hub_is_told_at_once(tmp_path: Path) -> None:
    done = quatrain("train", "experiment=mrpc_bert", cwd=tmp_path)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3  # data, tokenizer and weights, each with its key
    for key in ("data.source", "tokenizer.source", "model.weights"):
        assert any(key in line for line in errors)
    assert list(tmp_path.iterdir()) == []


def test_a_multirun_gives_each_job_its_process_and_folder_and_skips_what_is_done(tmp_path: Path) -> None:
    command = ("train", "-m", "experiment=quick_windows", *FAST, "data.max_length=16", "data.stride=16", "seed=1,2")
    first = quatrain(*command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    sweep = tmp_path / "outputs" / "sweeps"
    jobs = sorted(path.parent for path in sweep.rglob("config.yaml"))
    assert len(jobs) == 2
    assert "2 of 2 jobs done" in first.stderr
    again = quatrain(*command, cwd=tmp_path)
    assert again.returncode == 0
    assert again.stderr.count("was done already") == 2
    assert not list(tmp_path.rglob("multirun.yaml"))


def test_a_multirun_is_checked_whole_before_the_first_job_starts(tmp_path: Path) -> None:
    done = quatrain("train", "-m", "experiment=quick_windows", "data.stride=8,0", "data.max_length=16,-1", cwd=tmp_path)
    assert done.returncode == 2
    assert "data.stride=0" in done.stderr
    assert "data.max_length=-1" in done.stderr
    assert "job" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_ranks_train_and_score_every_token_once(tmp_path: Path) -> None:
    common = ("experiment=quick_windows", *FAST, "data.max_length=16", "data.stride=16", "speed.precision=32-true")
    one = quatrain("train", *common, "data.batch_size=16", "run.dir=one", cwd=tmp_path)
    two = quatrain("train", *common, "trainer=ddp_cpu", "trainer.devices=2", "run.dir=two", cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    from quatrain.runs.directory import RunDirectory

    losses = []
    for name in ("one", "two"):
        run = RunDirectory(tmp_path / name)
        result = run.read_result()
        assert result is not None
        steps = [row["train/loss"] for row in run.read_metrics() if "train/loss" in row]
        losses.append([*steps, result["best"]["val/loss"]])
    # two ranks of 8 windows see what one of 16 sees
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_preprocessed_files_train_as_the_raw_ones(tmp_path: Path) -> None:
    poems = "\n\n".join(f"A line of poem {number},\nand its other line." for number in range(30))
    (tmp_path / "raw.txt").write_bytes(b"\xef\xbb\xbf" + poems.replace("\n", "\r\n").encode())
    done = quatrain("preprocess", "data.source=raw.txt", "data.validation_share=0.2", "run.dir=clean", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "clean").iterdir()} >= {
        "train.jsonl",
        "validation.jsonl",
        "report.json",
        "report.md",
    }
    small = (*FAST[1:3], "trainer.accelerator=cpu", "tokenizer.vocab_size=300", "data.validation_share=0.2")
    losses = []
    for source in ("raw.txt", "clean"):
        run = quatrain("train", *small, f"data.source={source}", f"run.dir=run_{source}", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        losses.append((tmp_path / f"run_{source}" / "metrics.csv").read_text().splitlines()[1].split(",")[2])
    assert losses[0] == losses[1]
    again = quatrain("preprocess", "data.source=raw.txt", "run.dir=clean", cwd=tmp_path)
    assert again.returncode == 2
    assert "run.dir" in again.stderr


def test_plan_prints_sizes_and_trains_nothing(tmp_path: Path) -> None:
    done = quatrain("plan", *FAST, "trainer.accumulate_grad_batches=2", "trainer.max_steps=7", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for wanted in ("effective batch", "16", "optimizer steps", "parameters", "no GPU", "trainer.accelerator=cpu"):
        if wanted != "no GPU":
            assert wanted in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_the_users_own_is_trained_with_allow(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from quatrain.training.schedules import Schedule\n"
        "class Steps(Schedule):\n"
        "    def __init__(self, *, drop: float = 0.5) -> None:\n"
        "        super().__init__()\n"
        "        self.drop = drop\n"
        "    def after(self, progress: float) -> float:\n"
        "        return 1.0 if progress < 0.5 else self.drop\n",
        encoding="utf-8",
    )
    overrides = ("schedule._target_=mine.Steps", "~schedule.warmup", "schedule.drop=0.25")
    refused = quatrain("train", *FAST, *overrides, cwd=tmp_path)
    assert refused.returncode == 2
    assert "--allow mine" in refused.stderr
    done = quatrain("train", "--allow", "mine", *FAST, *overrides, "run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"mine."' in (tmp_path / "run" / "provenance.json").read_text()
