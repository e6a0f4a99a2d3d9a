"""Proves the names of run folders by hand, and that the hash is the experiment's identity."""

import string
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.runs.naming import LONGEST_TAG, identity_hash, readable_tag, run_folder, sweep_job_folder, time_part

NOW = datetime(2026, 3, 4, 5, 6, 7)
CONFIG = {"seed": 1, "optimizer": {"lr": 0.1}, "run": {"dir": "a"}, "logger": {"csv": 1}, "sweep": {}, "hydra": {}}


def test_a_folder_by_hand(tmp_path: Path) -> None:
    folder = run_folder(tmp_path, "quick_mrpc", CONFIG, ["optimizer.lr=1e-4", "seed=2"], environ={}, now=NOW)
    assert folder == tmp_path / "quick_mrpc" / f"20260304-050607-lr-1e-4_seed-2-{identity_hash(CONFIG)}"
    assert not folder.parent.exists()


@pytest.mark.parametrize(
    ("overrides", "tag"),
    [
        ([], "default"),
        (["experiment=quick_mrpc"], "default"),
        (["experiment=mrpc_bert", "run.dir=/x", "logger=wandb", "sweep.jobs=2", "hydra.sweep.dir=x"], "default"),
        (["data.source=/home/me/my texts/a b.txt"], "source-a_b.txt"),
        (["+trainer.max_steps=5", "~callbacks.early"], "max_steps-5_early"),
        (["data.lines=[1,2]"], "lines-_1_2"),
        (["model=tiny_bert"], "model-tiny_bert"),
    ],
)
def test_tags_by_hand(overrides: list[str], tag: str) -> None:
    assert readable_tag(overrides) == tag


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_tags_are_short_and_safe(overrides: list[str]) -> None:
    tag = readable_tag(overrides)
    assert 0 < len(tag) <= LONGEST_TAG
    assert set(tag) <= set(string.ascii_letters + string.digits + "._+-")
    assert not tag.startswith(".")


def test_the_hash_knows_the_experiment_only() -> None:
    """Place, loggers, sweep and the order of keys do not count; a value does."""
    elsewhere = {"hydra": 1, "run": {"dir": "b"}, "optimizer": {"lr": 0.1}, "seed": 1}
    assert identity_hash(CONFIG) == identity_hash(elsewhere)
    assert identity_hash(CONFIG) != identity_hash(CONFIG | {"seed": 2})
    assert identity_hash(CONFIG) != identity_hash(CONFIG | {"seed": "1"})
    # sha256 of {"optimizer":{"lr":0.1},"seed":1}
    assert identity_hash(CONFIG) == "f66912a2"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "20260304-050607"),
        ({"SLURM_JOB_ID": "12"}, "slurm-12"),
        ({"SLURM_JOB_ID": "12", "SLURM_STEP_ID": "0"}, "slurm-12.0"),
        ({"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "2"}, "slurm-12_2"),
        ({"TORCHELASTIC_RUN_ID": "my/run"}, "torchrun-my_run"),
    ],
)
def test_a_jobs_number_stands_for_the_time(environ: dict[str, str], expected: str) -> None:
    assert time_part(environ, NOW) == expected


def test_a_sweep_job_is_found_by_its_hash_under_any_tag(tmp_path: Path) -> None:
    folder = sweep_job_folder(tmp_path, CONFIG, ["seed=1"])
    assert folder.name == f"seed-1-{identity_hash(CONFIG)}"
    folder.mkdir()
    assert sweep_job_folder(tmp_path, CONFIG, ["optimizer.lr=0.1", "seed=1"]) == folder
