"""Proves which folder is a job's: by identity, whatever it is called, and by what it read."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.runs.directory import RunDirectory
from quatrain.sweeps import inputs
from quatrain.sweeps.inputs import changed_inputs, inputs_of, note_inputs
from quatrain.sweeps.job import Job
from quatrain.sweeps.places import newest, place_of, set_aside

MakeJob = Callable[..., Job]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "text" / "verse.txt"
    file.parent.mkdir()
    file.write_text("Shall I compare thee\n")
    return file


def reading(a_job: MakeJob, source: object, **more: Any) -> Job:
    return a_job(data={"source": str(source)}, **more)


def begun(job: Job, folder: Path, status: Any = "done") -> RunDirectory:
    place = place_of(job, folder)
    run = RunDirectory.create(place.run.path, job.config, job.overrides)
    note_inputs(run, job.config)
    run.set_status(status, "it broke" if status == "failed" else None)
    return run


def test_the_tag_is_decoration(a_job: MakeJob, tmp_path: Path) -> None:
    run = begun(a_job(1, seed=5), tmp_path)
    assert run.path.name == f"seed-5-{a_job(seed=5).identity}"
    place = place_of(a_job(2, seed=5, overrides=["+seed=5", "optimizer.lr=1"], sweep={"retries": 3}), tmp_path)
    assert place.run.path == run.path
    assert place.is_over
    assert place_of(a_job(1, seed=6), tmp_path).status is None


def test_looking_makes_nothing(a_job: MakeJob, tmp_path: Path) -> None:
    assert place_of(a_job(), tmp_path / "none").status is None
    assert not list(tmp_path.iterdir())


def test_a_changed_input_is_a_new_job_until_it_is_put_back(a_job: MakeJob, tmp_path: Path, source: Path) -> None:
    job = reading(a_job, source)
    first = begun(job, tmp_path)
    before = source.read_text()
    source.write_text("Shall I compare THEE\n")
    place = place_of(job, tmp_path)
    assert place.run.path.name == f"{first.path.name}-2"
    assert (place.status, place.changed) == (None, [str(source)])
    second = begun(job, tmp_path)
    assert place_of(job, tmp_path).run.path == second.path
    source.write_text("a third text\n")
    assert place_of(job, tmp_path).run.path.name == f"{first.path.name}-3"
    source.write_text(before)
    place = place_of(job, tmp_path)
    assert place.run.path == first.path
    assert place.is_over
    assert newest(tmp_path, job.identity) == second.path


@pytest.mark.parametrize("how", ["new", "gone"])
@pytest.mark.parametrize("glob", [False, True])
def test_a_folder_or_glob_with_other_files_has_changed(
    a_job: MakeJob, tmp_path: Path, source: Path, how: str, glob: bool
) -> None:
    other = source.with_name("other.txt")
    job = reading(a_job, source.parent / "*.txt" if glob else source.parent)
    if how == "gone":
        other.write_text("to be gone")
    run = begun(job, tmp_path / "sweep")
    assert changed_inputs(run, job.config) == []
    if how == "gone":
        other.unlink()
    else:
        other.write_text("new")
    assert changed_inputs(run, job.config) == [str(other)]


@pytest.mark.parametrize("pattern", ["verse[0-9].txt", "verse?.txt", "**/verse1.txt", "*"])
def test_the_patterns_of_corpora(a_job: MakeJob, source: Path, pattern: str) -> None:
    (source.parent / "verse1.txt").write_text("one")
    (source.parent / "folder").mkdir()
    found = inputs_of(reading(a_job, source.parent / pattern).config)
    assert str(source.parent / "verse1.txt") in found


def test_a_name_with_a_bracket_is_a_name(a_job: MakeJob, source: Path) -> None:
    file = source.with_name("verse[1].txt")
    file.write_text("one")
    assert list(inputs_of(reading(a_job, file).config)) == [str(file)]


def test_what_is_not_of_this_machine_is_no_input(a_job: MakeJob) -> None:
    assert inputs_of(a_job(data={"source": "hub:nyu-mll/glue"}, model={"weights": "bert-base-uncased"}).config) == {}


def test_of_a_run_only_what_it_exports_counts(a_job: MakeJob, tmp_path: Path, source: Path) -> None:
    """Its status, log and metrics may change, and hidden files are of the making."""
    run = begun(a_job(9), tmp_path / "other")
    run.export.mkdir()
    (run.export / "model.safetensors").write_bytes(b"weights")
    (source.parent / ".hidden").touch()
    job = a_job(data={"source": str(source.parent)}, model={"weights": str(run.path)})
    assert list(inputs_of(job.config)) == [str(source), str(run.export / "model.safetensors")]


def test_a_file_of_known_size_and_time_is_not_read_again(
    a_job: MakeJob, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = reading(a_job, source)
    run = begun(job, tmp_path)
    inputs._sha256.cache_clear()

    def read(*_: object) -> str:
        raise AssertionError("it was read")

    monkeypatch.setattr(inputs, "_sha256", read)
    assert changed_inputs(run, job.config) == []
    os.utime(source)
    with pytest.raises(AssertionError, match="it was read"):
        changed_inputs(run, job.config)


def test_a_file_that_was_only_touched_is_the_same(a_job: MakeJob, tmp_path: Path, source: Path) -> None:
    job = reading(a_job, source)
    run = begun(job, tmp_path)
    os.utime(source, (time.time() + 100,) * 2)
    assert changed_inputs(run, job.config) == []


@pytest.mark.parametrize(
    ("status", "checkpoint", "goes_on"),
    [
        ("queued", False, True),
        ("interrupted", False, True),
        ("failed", False, False),
        ("failed", True, True),
        ("done", True, False),
        ("pruned", True, False),
    ],
)
def test_which_run_goes_on(a_job: MakeJob, tmp_path: Path, status: str, checkpoint: bool, goes_on: bool) -> None:
    run = begun(a_job(), tmp_path, status)
    if checkpoint:
        run.checkpoints.mkdir()
        (run.checkpoints / "step-00000004.ckpt").touch()
    place = place_of(a_job(), tmp_path)
    assert place.goes_on == goes_on
    assert place.is_over == (status in ("done", "pruned"))


def test_an_empty_folder_is_no_run_yet(a_job: MakeJob, tmp_path: Path, source: Path) -> None:
    """As a kill between making a folder and filling it leaves it. What ran before it still counts."""
    job = reading(a_job, source)
    empty = place_of(job, tmp_path).run.path
    empty.mkdir()
    place = place_of(job, tmp_path)
    assert (place.run.path, place.status) == (empty, None)
    empty.rmdir()
    first = begun(job, tmp_path)
    first.path.with_name(f"{first.path.name}-2").mkdir()
    assert place_of(job, tmp_path).run.path == first.path
    source.write_text("other")
    assert place_of(job, tmp_path).run.path.name == f"{first.path.name}-2"


def test_attempts_are_numbered(a_job: MakeJob, tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        run = begun(a_job(), tmp_path, "failed")
        names.append(run.path.name)
        set_aside(run)
    assert len(set(names)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{names[0]}.attempt{number}" for number in (1, 2, 3)]
    assert newest(tmp_path, a_job().identity) is None
