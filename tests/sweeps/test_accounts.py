"""Proves what a sweep makes of other launchers' accounts of their jobs, and the accounts that ours gives Hydra."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus

from quatrain.config import sweeping
from quatrain.config.elsewhere import _ended
from quatrain.config.sweeping import launch
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.sweeps.job import Ended, Job

MakeJob = Callable[..., Job]


def ended_of(job: Job, given: JobReturn | None, root: Path, why: str = "") -> Ended:
    return _ended(job, given, root, why)


def account(value: Any = None, status: JobStatus = JobStatus.COMPLETED) -> JobReturn:
    returned = JobReturn()
    returned.status = status
    returned.return_value = value
    return returned


def said(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return {
        "status": "done", "run": str(tmp_path / "run"), "why": None, "seconds": 2.5, "skipped": False, **changes,
    }  # fmt: skip


def test_what_a_launcher_has_run(a_job: MakeJob, tmp_path: Path) -> None:
    done = ended_of(a_job(3), account(said(tmp_path)), tmp_path)
    assert isinstance(done.run, RunDirectory)
    assert (done.status, done.why, done.skipped, done.seconds) == ("done", None, False, 2.5)
    assert (done.job.number, done.run.path) == (3, tmp_path / "run")
    failed = ended_of(a_job(), account(said(tmp_path, status="failed", run=None, why="it broke")), tmp_path)
    assert (failed.status, failed.why, failed.run) == ("failed", "it broke", None)
    assert ended_of(a_job(), account(said(tmp_path, skipped=True)), tmp_path).skipped


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("out\nof \x1b[31mmemory"), r"RuntimeError: out\nof \x1b[31mmemory"),
        (UserError("run.dir=x names the folder."), "run.dir=x names the folder."),
        (ValueError(), "ValueError"),
        (None, "The launcher has not told how it ended; see its own log."),
    ],
)
@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.UNKNOWN])
def test_a_job_that_broke_in_the_launcher(
    a_job: MakeJob, tmp_path: Path, status: JobStatus, error: BaseException | None, why: str
) -> None:
    """The process died, or could not be started: one sentence, and no other job is lost for it."""
    ended = ended_of(a_job(), account(error, status), tmp_path)
    assert (ended.status, ended.why, ended.run) == ("failed", why, None)


def test_a_launcher_that_gives_no_account(a_job: MakeJob, tmp_path: Path) -> None:
    ended = ended_of(a_job(), account(None), tmp_path)
    assert (ended.status, ended.run) == ("failed", None)
    assert ended.why
    assert ended_of(a_job(), None, tmp_path, "hydra/launcher=x gave up").why == "hydra/launcher=x gave up"


def test_what_sweepers_other_than_ours_get(a_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra's account of each job, in the order in which they were asked for."""
    jobs = [a_job(number) for number in range(3)]
    run = RunDirectory.create(tmp_path / "run", jobs[0].config, [])
    run.write_result({"best": {"val/loss": 0.5}})
    ends = [Ended(jobs[1], "failed", None, "it broke"), Ended(jobs[2], "pruned"), Ended(jobs[0], "done", run)]
    monkeypatch.setattr(sweeping, "jobs_of", lambda lines, first: jobs)
    monkeypatch.setattr(sweeping, "run", lambda launcher, source: ends)
    accounts = launch(None, [["seed=0"], ["seed=1"], ["seed=2"]], 0)
    assert [one.status for one in accounts] == [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.COMPLETED]
    assert [list(one.overrides) for one in accounts] == [["seed=0"], ["seed=1"], ["seed=2"]]
    assert accounts[0].return_value == {"best": {"val/loss": 0.5}}
    with pytest.raises(RuntimeError, match="it broke"):
        _ = accounts[1].return_value


def test_a_job_that_was_not_started_has_an_account_too(a_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure with sweep.fail_fast: sweepers match accounts with what they asked for, by their places."""
    jobs = [a_job(number) for number in range(2)]
    monkeypatch.setattr(sweeping, "jobs_of", lambda lines, first: jobs)
    monkeypatch.setattr(sweeping, "run", lambda launcher, source: [Ended(jobs[0], "failed", None, "it broke")])
    accounts = launch(None, [["seed=0"], ["seed=1"]], 0)
    with pytest.raises(RuntimeError, match="was not started"):
        _ = accounts[1].return_value
