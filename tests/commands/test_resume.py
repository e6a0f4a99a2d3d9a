"""Proves what quatrain resume does: go on to the bit, train on, and refuse in a sentence."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.core.exit_codes import DONE, INTERRUPTED, REFUSED
from quatrain.runs.changes import read_changes
from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.lock import locked
from quatrain.training.preemption import Stopped, StopRequest

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
TINY = (
    "experiment=quick_mrpc",
    "data.verse_size=60",
    "data.batch_size=8",
    "trainer.accelerator=cpu",
    "model.config.hidden_size=16",
    "model.config.num_attention_heads=2",
    "model.config.intermediate_size=32",
    "model.config.hidden_dropout_prob=0.1",
    "trainer.max_epochs=1",
    "run.report=false",
)
"""Six steps an epoch."""


@dataclass
class Here:
    """Runs of this test, whose workers are this process; ``signal`` stops the next one after a step."""

    folder: Path
    signal: int = 0

    def start(self, run_dir: Path, environment: object = None) -> int:
        from quatrain import worker
        from quatrain.runs.run_log import run_log

        run, stop = RunDirectory(run_dir), StopRequest()
        stop.number, self.signal = self.signal, 0
        with locked(run, run.lock), run_log(run.log):
            return worker.guarded(run, stop)

    def train(self, *overrides: str, name: str = "run", number: int = 0) -> tuple[RunDirectory, int]:
        self.signal = number
        run = RunDirectory(self.folder / name)
        return run, main(["train", *TINY, *overrides, f"run.dir={run.path}"])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    made = Here(tmp_path)
    monkeypatch.setattr("quatrain.runs.attempts.start_worker", made.start)
    monkeypatch.setattr("quatrain.runs.lock.AFTER_A_KILL", 0.0)
    monkeypatch.setattr(StopRequest, "listen", lambda self: None)
    return made


def resume(run: RunDirectory, *words: str) -> int:
    return main(["resume", str(run.path), *words])


def told(run: RunDirectory) -> list[dict[str, float]]:
    """All that a run logged but its speed."""
    return [{name: value for name, value in row.items() if not name.endswith(OF_TIME)} for row in run.read_metrics()]


def assert_same(one: RunDirectory, other: RunDirectory) -> None:
    assert told(one) == told(other)
    weights = [(run.export / "model.safetensors").read_bytes() for run in (one, other)]
    assert weights[0] == weights[1]
    results = [run.read_result() for run in (one, other)]
    assert all(result is not None for result in results)
    for part in ("best", "metrics", "tokens"):
        assert results[0][part] == results[1][part]  # type: ignore[index]


@pytest.mark.parametrize(
    "overrides", [(), ("callbacks.checkpoints=null",), ("debug=fast",)], ids=["plain", "no checkpoints", "fast_dev_run"]
)
def test_an_interrupted_run_goes_on_as_if_it_never_was(
    overrides: tuple[str, ...], here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, code = here.train(*overrides, name="whole")
    assert code == DONE
    run, code = here.train(*overrides, number=signal.SIGTERM)
    assert code == INTERRUPTED
    assert (run.status().status, run.status().why) == ("interrupted", "SIGTERM stopped the run.")
    assert f"Go on with: quatrain resume {run.path}" in capsys.readouterr().err
    assert not run.export.exists()
    config = run.config.read_bytes()
    assert resume(run) == DONE
    assert_same(run, whole)
    assert run.config.read_bytes() == config
    assert not run.changes.exists()
    assert not list(run.path.glob(".*.tmp"))


def test_two_epochs_after_one_are_a_run_of_two_epochs(here: Here) -> None:
    whole, _ = here.train("schedule=constant", "trainer.max_epochs=2", name="whole")
    run, _ = here.train("schedule=constant")
    config = run.config.read_bytes()
    assert resume(run, "--max-epochs", "2") == DONE
    assert_same(run, whole)
    assert run.config.read_bytes() == config
    assert [change.set for change in read_changes(run)] == [{"trainer.max_epochs": 2, "trainer.max_steps": -1}]


def test_a_schedule_holds_its_last_value_unless_it_is_stretched(here: Here) -> None:
    """Cosine ends at a tenth. Stretched over 12 steps it goes on where such a run would be after six."""
    run, _ = here.train("schedule=cosine", "schedule.warmup=0")
    again, _ = here.train("schedule=cosine", "schedule.warmup=0", name="again")
    whole, _ = here.train("schedule=cosine", "schedule.warmup=0", "trainer.max_epochs=2", name="whole")
    assert resume(run, "--max-steps", "8") == DONE
    assert resume(again, "--max-epochs", "2", "--reschedule") == DONE
    rates, stretched, planned = (
        [row["train/lr"] for row in told(one) if "train/lr" in row] for one in (run, again, whole)
    )
    assert rates[:6] == stretched[:6]
    assert rates[6:] == pytest.approx([rates[0] / 10] * 2)
    assert stretched[6:] == planned[6:]
    assert stretched[6] > rates[6]


def test_a_linear_schedule_that_has_ended_is_said_to_teach_nothing(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = here.train()
    capsys.readouterr()
    assert resume(run, "--max-steps", "7") == DONE
    assert "stays at a learning rate of 0, at which nothing is learned; --reschedule" in capsys.readouterr().err
    assert [row["train/lr"] for row in told(run) if "train/lr" in row][6:] == [0.0]


def test_an_extension_that_is_interrupted_goes_on(here: Here) -> None:
    whole, _ = here.train("schedule=constant", "trainer.max_epochs=2", name="whole")
    run, _ = here.train("schedule=constant")
    here.signal = signal.SIGUSR1
    assert resume(run, "--max-epochs", "2") == INTERRUPTED
    assert resume(run) == DONE
    assert_same(run, whole)


def test_a_run_that_was_moved_goes_on(here: Here) -> None:
    whole, _ = here.train(name="whole")
    run, _ = here.train(number=signal.SIGINT)
    moved = RunDirectory(shutil.move(run.path, here.folder / "elsewhere"))
    assert resume(moved) == DONE
    assert_same(moved, whole)
    assert not run.path.exists()


def test_a_run_that_ended_in_its_export_only_exports(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = here.train(name="whole")

    def ends(*_: object, **__: object) -> None:
        (here.folder / "run" / ".export.1-ab.tmp").mkdir()
        raise Stopped(signal.SIGTERM, saved=False)

    with monkeypatch.context() as patch:
        patch.setattr("quatrain.runs.export.export", ends)
        run, code = here.train()
    assert code == INTERRUPTED
    rows = run.metrics_file.read_bytes()
    assert resume(run) == DONE
    assert run.metrics_file.read_bytes() == rows
    assert_same(run, whole)
    assert not (run.path / ".export.1-ab.tmp").exists()


def test_an_early_stop_trains_no_further(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the export; what was not better for an epoch is not trained on."""
    early = (
        "callbacks=early_stopping",
        "callbacks.early_stopping.patience=1",
        "optimizer.lr=0",
        "trainer.max_epochs=9",
    )

    def ends(*_: object, **__: object) -> None:
        raise Stopped(signal.SIGTERM, saved=False)

    with monkeypatch.context() as patch:
        patch.setattr("quatrain.runs.export.export", ends)
        run, code = here.train(*early)
    assert code == INTERRUPTED
    rows = run.metrics_file.read_bytes()
    assert resume(run) == DONE
    assert run.metrics_file.read_bytes() == rows
    assert max(row["epoch"] for row in told(run)) == 1


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(words) == REFUSED
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1, told
    assert told[0].startswith("error: ")
    return told[0]


def test_refusals(here: Here, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = here.train()
    path = str(run.path)
    assert "is done; train it on with --max-epochs N or --max-steps N" in refused(["resume", path], capsys)
    assert "--reschedule needs a new length" in refused(["resume", path, "--reschedule"], capsys)
    told = refused(["resume", path, "--max-steps", "5"], capsys)
    assert "--max-steps 5 trains nothing more, for 6 steps are done" in told
    assert "is done; train on with" in refused(["resume", path, "--max-epochs", "1"], capsys)
    assert "0 must be a whole number from 1 on" in refused(["resume", path, "--max-epochs", "0"], capsys)
    assert "none does not exist" in refused(["resume", str(here.folder / "none")], capsys)
    assert not run.changes.exists()
    assert run.status().status == "done"
    run.set_status("running")
    assert f"is being run by process {os.getpid()}" in refused(["resume", path, "--max-epochs", "2"], capsys)
    run.set_status("interrupted")
    with locked(run, run.command_lock):
        assert "is being run by another process" in refused(["resume", path, "--max-epochs", "2"], capsys)
    assert not run.changes.exists()


def test_a_worker_that_is_started_by_other_hands_is_refused_too(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """Such as torchrun's; the change that was asked for is taken back."""
    run, _ = here.train()

    def start(run_dir: Path, environment: object = None) -> int:
        from quatrain.worker import main as worker

        return worker([str(run_dir)])

    with pytest.MonkeyPatch.context() as patch, locked(run, run.lock):
        patch.setattr("quatrain.runs.attempts.start_worker", start)
        patch.setattr("quatrain.runs.processes.end_with_parent", lambda: None)
        patch.setattr(StopRequest, "watch", lambda self: None)
        assert "is being run by another process" in refused(["resume", str(run.path), "--max-epochs", "2"], capsys)
    assert not run.changes.exists()
    assert resume(run, "--max-epochs", "2") == DONE


def test_another_corpus_is_refused_with_both_fingerprints(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    source = here.folder / "pairs.jsonl"
    rows = [f'{{"text_a": "line {n}", "text_b": "line {n % 7}", "label": {n % 2}}}\n' for n in range(60)]
    source.write_text("".join(rows))
    run, code = here.train(f"data.source={source}", number=signal.SIGTERM)
    assert code == INTERRUPTED
    source.write_text("".join([*rows[:-1], rows[0]]))
    sentences = [line for line in (resume(run), capsys.readouterr())[1].err.splitlines() if line.startswith("error")]
    assert len(sentences) >= 1
    for sentence in sentences:
        assert "of this run has changed since it was started: its fingerprint was" in sentence
        was, now = (sentence.partition(words)[2].split()[0].strip(".") for words in ("fingerprint was", "and is"))
        assert was in run.provenance.read_text()
        assert now not in run.provenance.read_text()
    assert run.status().status == "interrupted"
    source.write_text("".join(rows))
    assert resume(run) == DONE


def test_a_lost_provenance_is_a_sentence(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = here.train(number=signal.SIGTERM)
    kept = run.provenance.read_bytes()
    run.provenance.unlink()
    assert resume(run) == REFUSED
    assert "provenance.json is gone" in capsys.readouterr().err
    run.provenance.write_bytes(kept)
    assert resume(run) == DONE


def test_of_a_run_on_another_machine_its_lock_tells(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = here.train(number=signal.SIGTERM)
    write_json(run.status_file, {"status": "running", "pid": 1, "process_start": "x", "host": "elsewhere"})
    with locked(run, run.lock):
        assert "is being run by process 1 on elsewhere" in refused(["resume", str(run.path)], capsys)
    assert resume(run) == DONE, "a machine that is gone holds no lock"


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_command_is_asked_to_stop_and_goes_on(here: Here, tmp_path: Path) -> None:
    """With real processes: SIGTERM to quatrain train ends it within ten seconds with the code 75."""
    overrides = (*TINY, "data.verse_size=300", "trainer.max_epochs=2", "data.num_workers=1")
    whole = RunDirectory(tmp_path / "whole")
    assert main(["train", *overrides, f"run.dir={whole.path}"]) == DONE
    run = RunDirectory(tmp_path / "real")
    environment = os.environ | {"PYTHONPATH": SOURCE}
    command = [sys.executable, "-m", "quatrain", "train", *overrides, f"run.dir={run.path}"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: run.metrics_file.exists() and len(run.read_metrics()) > 5)
    process.terminate()
    sent = time.monotonic()
    error = process.communicate(timeout=30)[1]
    assert time.monotonic() - sent < 10
    assert process.returncode == INTERRUPTED, error
    assert "SIGTERM stopped the run; a checkpoint is written" in error
    assert 5 < len(run.read_metrics()) < 80
    command = [sys.executable, "-m", "quatrain", "resume", str(run.path)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert_same(run, whole)
