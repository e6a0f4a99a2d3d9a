"""Which job is queued again, and that the ranks of a job share what the leading one has made."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.runs import cluster
from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import identity_hash


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scontrol that notes what it is asked for; in a job, as its leading rank."""
    for name in (
        "SLURM_ARRAY_JOB_ID",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_PROCID",
        "RANK",
        "LOCAL_RANK",
        "SUBMITIT_EXECUTOR",
    ):
        monkeypatch.delenv(name, raising=False)
    note = tmp_path / "asked"
    program = tmp_path / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {note}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    return note


@pytest.mark.parametrize(
    ("variables", "number", "words"),
    [
        ({}, signal.SIGUSR1, "requeue 17\n"),
        ({}, signal.SIGUSR2, "requeue 17\n"),
        ({"SLURM_ARRAY_JOB_ID": "16", "SLURM_ARRAY_TASK_ID": "3"}, signal.SIGUSR1, "requeue 16_3\n"),
        ({}, signal.SIGTERM, None),  # scancel means it
        ({}, signal.SIGINT, None),
        ({"SUBMITIT_EXECUTOR": "slurm"}, signal.SIGUSR2, None),  # submitit does it
        ({"SLURM_PROCID": "1"}, signal.SIGUSR1, None),  # one rank is enough
        ({"SLURM_JOB_ID": ""}, signal.SIGUSR1, None),
    ],
)
def test_exactly_one_queues_a_warned_job_again(
    asked: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], number: int, words: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cluster.requeue(number)
    assert (asked.read_text() if asked.exists() else None) == words


def test_a_refusal_of_slurm_is_told(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = asked.parent / "bin" / "scontrol"
    program.write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 1\n")
    assert subprocess.run([str(program)], check=False, capture_output=True).returncode == 1
    cluster.requeue(signal.SIGUSR1)
    assert "job 17 is not queued again (Access denied)" in capsys.readouterr().err


def test_a_job_finds_its_own_run_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("SLURM_PROCID", raising=False)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    config: dict[str, Any] = {"seed": 1, "run": {"dir": None}}
    assert not cluster.is_again(RunDirectory(tmp_path / "run"), identity_hash(config))
    run = RunDirectory.create(tmp_path / "run", config, [])
    assert cluster.is_again(run, identity_hash(config))
    with pytest.raises(UserError, match="holds another experiment"):
        cluster.is_again(run, identity_hash({**config, "seed": 2}))
    monkeypatch.setenv("RANK", "1")
    assert cluster.is_again(run, identity_hash(config))
    monkeypatch.setattr(cluster, "PATIENCE", 0.1)
    with pytest.raises(NotNow, match="leading rank has not written"):
        cluster.is_again(RunDirectory(tmp_path / "none"), identity_hash(config))
