"""quatrain report writes the page of a run, once more and with what lacks, and a run writes its own when it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.runs.directory import RunDirectory

from .report_runs import hostile_run

SMALL = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "trainer.max_steps=2",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
)
Runner = Callable[..., tuple[RunDirectory, int]]


@pytest.fixture(scope="module")
def run_small(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Compose overrides and run them in this process; the run directory and the exit code."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    def run_it(*overrides: str) -> tuple[RunDirectory, int]:
        words = [*SMALL, *overrides]
        run = RunDirectory.create(tmp_path_factory.mktemp("runs") / "run", compose(words), words)
        with run_log(run.log):
            return run, worker.guarded(run, StopRequest())

    return run_it


@pytest.fixture(scope="module")
def finished(run_small: Runner) -> RunDirectory:
    run, code = run_small()
    assert code == 0
    return run


def test_a_run_ends_with_its_report_and_examples(finished: RunDirectory) -> None:
    page = finished.report.read_text(encoding="utf-8")
    assert "Loss by position" in page
    assert "vocabulary" in page
    assert "Not shown" not in page
    assert json.loads(finished.examples.read_text(encoding="utf-8"))["task"] == "causal_lm"


def test_it_is_written_again_with_the_examples_that_lack(
    finished: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = finished.examples.read_text(encoding="utf-8")
    finished.examples.unlink()
    assert main(["report", str(finished.path), "--output", str(tmp_path / "bare.html"), "--no-examples"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'bare.html'}\n"
    assert not finished.examples.exists()
    assert "Loss by position" not in (tmp_path / "bare.html").read_text(encoding="utf-8")
    assert main(["report", str(finished.path)]) == 0
    assert capsys.readouterr().out == f"{finished.report}\n"
    assert json.loads(finished.examples.read_text(encoding="utf-8")) == json.loads(before)
    assert "Loss by position" in finished.report.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_fails_no_run(
    run_small: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from quatrain.report import page

    def broken() -> str:
        raise RuntimeError("no plotly here")

    monkeypatch.setattr(page, "plotly_js", broken)
    run, code = run_small()
    assert (code, run.status().status) == (0, "done")
    assert not run.report.exists()
    assert "No report is written: no plotly here Again with: quatrain report" in capsys.readouterr().err


def test_run_report_false_writes_none(run_small: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    run, code = run_small("run.report=false")
    assert code == 0
    assert not run.report.exists()
    assert not run.examples.exists()
    assert "report.html" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{run}", "--output", "{tmp}"], "is a folder; name the file"),
        (["{run}", "--output", "{tmp}/none/report.html"], "there is no folder"),
        (["{tmp}/nothing"], "does not exist"),
        (["{run}", "--opn"], "did you mean --open?"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = hostile_run(tmp_path / "run", rows=20)
    assert main(["report", *(word.format(run=run.path, tmp=tmp_path) for word in words)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not run.report.exists()
