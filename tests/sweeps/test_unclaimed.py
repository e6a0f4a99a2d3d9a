"""Proves that a sweep and whatever else works on a job's folder keep out of each other's way, and that a job whose
folder is gone begins anew."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import sweep_job_folder
from quatrain.runs.removal import remove_run
from quatrain.runs.walk import CLAIMS
from quatrain.sweeps.claims import claim
from quatrain.sweeps.job import Job
from quatrain.sweeps.places import claim_file, place_of
from quatrain.sweeps.unclaimed import unclaimed

CONFIG = {"name": "tried", "seed": 1, "data": {"source": "verse"}, "tokenizer": {}, "model": {}}


def _job(folder: Path) -> tuple[Job, RunDirectory]:
    job = Job(0, CONFIG, ["seed=1"])
    return job, RunDirectory.create(sweep_job_folder(folder, CONFIG, ["seed=1"]), CONFIG, ["seed=1"])


def test_while_a_folder_is_held_no_sweep_takes_its_job_and_afterwards_it_may(tmp_path: Path) -> None:
    job, run = _job(tmp_path)
    (tmp_path / CLAIMS).mkdir()
    with unclaimed(run):
        assert claim(claim_file(job, tmp_path), on_lost=lambda: None) is None
    taken = claim(claim_file(job, tmp_path), on_lost=lambda: None)
    assert taken is not None
    with pytest.raises(UserError, match="is a job that a sweep works on"), unclaimed(run):
        pass
    taken.release()


def test_a_run_of_no_sweep_needs_no_claim(tmp_path: Path) -> None:
    _, run = _job(tmp_path)
    with unclaimed(run):
        assert not (tmp_path / CLAIMS).exists()


def test_a_job_whose_folder_was_removed_begins_anew(tmp_path: Path) -> None:
    job, run = _job(tmp_path)
    run.set_status("done")
    assert place_of(job, tmp_path).is_over
    remove_run(run, "done", guard=lambda run: nullcontext())
    place = place_of(job, tmp_path)
    assert (place.status, place.run.path, place.goes_on) == (None, run.path, False)
