"""Proves what becomes of one job, with workers that are functions: skipped, gone on with, made anew, tried again."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED, KILLED, REFUSED
from quatrain.runs.directory import RunDirectory
from quatrain.sweeps import claims
from quatrain.sweeps.claims import claim
from quatrain.sweeps.inputs import FILE
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.one_job import run_job, sweep_begins
from quatrain.sweeps.places import claim_file, place_of

MakeJob = Callable[..., Job]
STATUS: dict[int, Any] = {DONE: "done", FAILED: "failed", REFUSED: "failed", INTERRUPTED: "interrupted"}


class Workers:
    """Stands in for workers: each ends with the next of ``codes``, and may leave a checkpoint."""

    def __init__(self, *codes: int, checkpoint: bool = False) -> None:
        self.codes, self.checkpoint = list(codes), checkpoint
        self.runs: list[RunDirectory] = []
        self.before: list[str] = []
        self.environments: list[Mapping[str, str] | None] = []

    def __call__(self, run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        run = RunDirectory(run_dir)
        self.runs.append(run)
        self.before.append(run.status().status)
        self.environments.append(environment)
        code = self.codes.pop(0)
        if self.checkpoint:
            run.checkpoints.mkdir(exist_ok=True)
            (run.checkpoints / "step-00000001.ckpt").touch()
        if code == 137:  # killed, as it ran
            run.set_status("running")
            content = json.loads(run.status_file.read_text())
            run.status_file.write_text(json.dumps(content | {"pid": 2**22 + 1}))
        elif code in STATUS:
            run.set_status(STATUS[code], "it broke" if STATUS[code] == "failed" else None)
        return code

    @property
    def names(self) -> list[str]:
        return [run.path.name for run in self.runs]


def nobody() -> None:
    raise AssertionError("nobody took it")


def end_of(job: Job, folder: Path, workers: Workers, **more: Any) -> Ended:
    ended = run_job(job, folder, start=workers, on_lost=nobody, **more)
    assert ended
    assert not claim_file(job, folder).exists()
    return ended


def test_a_new_job(a_job: MakeJob, tmp_path: Path) -> None:
    workers = Workers(DONE)
    job = a_job(3)
    ended = end_of(job, tmp_path / "sweep", workers, environment={"OMP_NUM_THREADS": "2"})
    assert (ended.job, ended.status, ended.skipped, ended.why) == (job, "done", False, None)
    assert ended.run
    assert ended.run.read_config() == job.config
    assert ended.run.read_overrides() == ["seed=3"]
    assert workers.environments == [{"OMP_NUM_THREADS": "2"}]
    assert (ended.run.path / FILE).exists()


@pytest.mark.parametrize("status", ["done", "pruned"])
def test_what_is_over_is_skipped(a_job: MakeJob, tmp_path: Path, status: Any) -> None:
    end_of(a_job(), tmp_path, Workers(DONE)).run.set_status(status)  # type: ignore[union-attr]
    ended = end_of(a_job(), tmp_path, Workers())
    assert (ended.status, ended.skipped, ended.seconds) == (status, True, 0.0)


def test_what_another_process_works_on_is_left_to_it(a_job: MakeJob, tmp_path: Path) -> None:
    held = claim(claim_file(a_job(), tmp_path), on_lost=nobody)
    assert held
    assert run_job(a_job(), tmp_path, start=Workers(), on_lost=nobody) is None
    assert not list(tmp_path.glob("seed*"))
    held.release()
    assert end_of(a_job(), tmp_path, Workers(DONE)).status == "done"


def test_what_was_interrupted_goes_on(a_job: MakeJob, tmp_path: Path) -> None:
    first = end_of(a_job(), tmp_path, Workers(INTERRUPTED))
    assert first.status == "interrupted"
    workers = Workers(DONE)
    again = end_of(a_job(), tmp_path, workers)
    assert again.run
    assert first.run
    assert again.run.path == first.run.path
    assert workers.before == ["interrupted"]


@pytest.mark.parametrize("checkpoint", [False, True])
def test_what_failed_is_tried_again(a_job: MakeJob, tmp_path: Path, checkpoint: bool) -> None:
    """From its checkpoint; without one anew, and what the first attempt left is set aside."""
    first = end_of(a_job(), tmp_path, Workers(FAILED, checkpoint=checkpoint))
    assert (first.status, first.why) == ("failed", "it broke")
    workers = Workers(DONE)
    assert end_of(a_job(), tmp_path, workers).status == "done"
    assert first.run
    assert workers.names == [first.run.path.name]
    assert workers.before == ["failed" if checkpoint else "queued"]
    aside = RunDirectory(f"{first.run.path}.attempt1")
    assert aside.path.exists() != checkpoint
    assert checkpoint or aside.status().why == "it broke"


def test_retries_are_counted(a_job: MakeJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workers = Workers(FAILED, FAILED, FAILED, DONE)
    assert end_of(a_job(retries=2), tmp_path, workers).status == "failed"
    assert len(workers.runs) == 3
    assert capsys.readouterr().err.count("(it broke); it is tried again") == 2
    workers = Workers(FAILED, DONE)
    assert end_of(a_job(1, retries=2), tmp_path, workers).status == "done"


@pytest.mark.parametrize(
    ("code", "state"), [(REFUSED, "failed"), (INTERRUPTED, "interrupted"), (KILLED, "interrupted")]
)
def test_what_is_not_tried_again(a_job: MakeJob, tmp_path: Path, code: int, state: str) -> None:
    """Refused input is wrong the next time too; and who asked for a stop is not to be ignored."""
    workers = Workers(code)
    assert end_of(a_job(retries=3), tmp_path, workers).status == state
    assert len(workers.runs) == 1


def test_a_worker_that_was_killed_is_tried_again_from_where_it_was(a_job: MakeJob, tmp_path: Path) -> None:
    workers = Workers(137, DONE)
    ended = end_of(a_job(retries=1), tmp_path, workers)
    assert ended.status == "done"
    assert workers.before == ["queued", "interrupted"]
    ended = end_of(a_job(1), tmp_path, Workers(137))
    assert (ended.status, ended.why) == ("interrupted", "The process ended without a word.")


def test_a_job_that_another_host_took_over_is_left_to_it(
    a_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker is ended, nothing is tried again, and the other one's end is waited for."""
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.01)
    job = a_job(retries=3)
    heard: list[bool] = []
    workers = Workers(137)

    def start(run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        other = {"host": "elsewhere", "space": "", "pid": 1, "process_start": "", "mark": "another"}
        claim_file(job, tmp_path).write_text(json.dumps(other))
        while not heard:
            time.sleep(0.01)
        return workers(run_dir)

    assert run_job(job, tmp_path, start=start, on_lost=lambda: heard.append(True)) is None
    assert len(workers.runs) == 1
    assert "left to another host" in capsys.readouterr().err
    assert "elsewhere" in claim_file(job, tmp_path).read_text()


def test_a_job_that_another_sweep_failed_at_meanwhile_is_not_run_twice(a_job: MakeJob, tmp_path: Path) -> None:
    """But one that had failed before this sweep began is tried again."""
    since = sweep_begins(tmp_path)
    end_of(a_job(), tmp_path, Workers(FAILED))
    ended = end_of(a_job(), tmp_path, Workers(), since=since)
    assert (ended.status, ended.why, ended.skipped) == ("failed", "it broke", True)
    time.sleep(0.02)  # clocks of file systems have coarse hands
    assert end_of(a_job(), tmp_path, Workers(DONE), since=sweep_begins(tmp_path)).status == "done"


def test_a_changed_input_is_told(a_job: MakeJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "verse.txt"
    text.write_text("one")
    job = a_job(data={"source": str(text)})
    workers = Workers(DONE, DONE)
    end_of(job, tmp_path, workers)
    assert "input" not in capsys.readouterr().err
    text.write_text("two")
    assert not end_of(job, tmp_path, workers).skipped
    first = workers.names[0]
    assert workers.names == [first, f"{first}-2"]
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{first}-2 runs as a new job, for its input is not what it was: {text}"]
    text.write_text("one")
    ended = end_of(job, tmp_path, Workers())
    assert ended.run
    assert (ended.skipped, ended.run.path.name) == (True, first)


def test_what_a_kill_left_half_made_is_made_whole(a_job: MakeJob, tmp_path: Path) -> None:
    """An empty folder, and a run that was frozen but had not noted its input."""
    job = a_job()
    place_of(job, tmp_path).run.path.mkdir()
    ended = end_of(job, tmp_path, Workers(INTERRUPTED))
    assert ended.run
    (ended.run.path / FILE).unlink()
    end_of(job, tmp_path, Workers(DONE))
    assert (ended.run.path / FILE).exists()


@pytest.mark.parametrize("broken", ["status", "inputs", "claims", "source"])
def test_what_cannot_be_read_fails_the_job_alone(
    a_job: MakeJob, tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one sentence that names the place."""
    text = tmp_path / "verse.txt"
    text.write_text("one")
    job = a_job(data={"source": str(text)})
    run = end_of(job, tmp_path, Workers(INTERRUPTED)).run
    assert run
    if broken == "status":
        run.status_file.write_text("{")
    elif broken == "inputs":
        (run.path / FILE).write_text("[1]")
    elif broken == "claims":
        claims_folder = claim_file(job, tmp_path).parent
        for file in claims_folder.iterdir():
            file.unlink()
        claims_folder.rmdir()
        claims_folder.touch()
    else:
        os.utime(text)  # so that it must be read
        opened = Path.open

        def refusing(self: Path, *arguments: Any, **keywords: Any) -> Any:
            if self == text:
                raise PermissionError(13, "Permission denied", str(text))
            return opened(self, *arguments, **keywords)

        monkeypatch.setattr(Path, "open", refusing)
    ended = run_job(job, tmp_path, start=Workers(), on_lost=nobody)
    assert ended
    assert (ended.status, ended.run) == ("failed", None)
    assert ended.why
    assert str(tmp_path) in ended.why
    assert "\n" not in ended.why


def test_a_folder_that_cannot_be_written_is_told_before_any_job(tmp_path: Path) -> None:
    from quatrain.core.errors import NotNow

    (tmp_path / "file").touch()
    with pytest.raises(NotNow, match="cannot be written"):
        sweep_begins(tmp_path / "file")
