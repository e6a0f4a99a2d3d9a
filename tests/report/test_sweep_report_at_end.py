"""A sweep that ends writes its report where its jobs ask for one, whatever they came to; and nothing of it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.reporting import report_end

from .sweep_folders import one_run, sweep_of

pytestmark = pytest.mark.slow

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
SMALLEST = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=4",
    "data.max_length=32",
    "data.stride=32",
    "tokenizer.vocab_size=300",
    "model.config.n_embd=16",
    "model.config.n_head=2",
    "model.config.n_layer=1",
    "trainer.max_steps=2",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
    "sweep.name=tiny",
)


def ended(run: RunDirectory, number: int = 0, *, report: bool = True) -> Ended:
    job = Job(number, {"run": {"report": report}}, [])
    return Ended(job, run.status().status, run, run.status().why)


def test_the_path_is_told_and_jobs_that_never_began_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sweep_of(tmp_path / "tried", lrs=(1e-3,), seeds=(1,))
    bad = one_run(folder, "bad", lr=1.0, status="failed", why="It broke.")
    report_end([ended(bad)], folder, total=3)
    assert capsys.readouterr().err == f"report: {folder / 'report.html'}\n"
    assert "<dt>not started</dt><dd>2</dd>" in (folder / "report.html").read_text(encoding="utf-8")


def test_where_no_job_asks_for_one_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = one_run(tmp_path, "run")
    report_end([ended(run, report=False)], tmp_path, total=1)
    report_end([], tmp_path, total=1)
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "report.html").exists()


def test_a_report_that_fails_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = one_run(tmp_path, "run")
    (tmp_path / "report.html").mkdir()
    report_end([ended(run)], tmp_path, total=1)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("No report of the sweep is written: ")
    assert said.endswith(f"Again with: quatrain report {tmp_path}\n")


def test_a_real_sweep_ends_with_its_report_which_leads_to_those_of_its_runs(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "quatrain", "train", "-m", *SMALLEST, "seed=1,2"],
        env=os.environ | {"PYTHONPATH": SOURCE, "HF_HUB_OFFLINE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    page = tmp_path / "outputs" / "sweeps" / "tiny" / "report.html"
    assert told.stderr.splitlines()[-1] == f"report: {page.relative_to(tmp_path)}"
    text = page.read_text(encoding="utf-8")
    runs = [path.name for path in page.parent.iterdir() if path.name.startswith("seed-")]
    assert len(runs) == 2
    assert all((page.parent / run / "report.html").is_file() for run in runs)
    assert all(f'href="./{run}/report.html"' in text for run in runs)
