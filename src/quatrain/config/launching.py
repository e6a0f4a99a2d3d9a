"""Running the jobs of a sweep, each in a process and a directory of its own."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.config.compose import compose_here
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import INTERRUPTED, KILLED
from quatrain.runs.attempts import work
from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import sweep_job_folder


class SweepInterrupted(BaseException):
    """A signal ended a job, and with it the sweep; ``code`` is the job's exit code."""

    def __init__(self, code: int) -> None:
        super().__init__("the sweep ends here; the same command goes on with it")
        self.code = code


def launch(launcher: Any, job_overrides: Sequence[Sequence[str]], first: int) -> list[Any]:
    """Run every job in turn and return Hydra's account of each; a failed job stops nothing."""
    from hydra.core.utils import JobReturn, JobStatus

    root = Path(str(launcher.config.hydra.sweep.dir)).absolute()
    returned = []
    for number, overrides in enumerate(job_overrides, start=first):
        texts = [text.removeprefix("++") for text in overrides]
        config = launcher.checked.get(tuple(overrides)) or compose_here(texts, [])
        place = sweep_job_folder(root, config, texts)
        account = JobReturn(
            overrides=list(overrides), cfg=None, hydra_cfg=None, working_dir=str(place), task_name="quatrain"
        )
        try:
            status, result = (run := run_job(config, texts, root, number)).status(), run.read_result()
            done, why = status.status == "done", status.why
        except UserError as error:  # a folder that cannot be read or written, or that another command works in
            done, why, result = False, str(error), None
        account.status = JobStatus.COMPLETED if done else JobStatus.FAILED
        account.return_value = result if done else RuntimeError(why or "failed")
        returned.append(account)
    return returned


def run_job(config: dict[str, Any], overrides: list[str], root: Path, number: int) -> RunDirectory:
    """Run one job of a sweep in its own folder under ``root``, unless it is done already.

    A job that was interrupted, or failed after a checkpoint, goes on from there. The folder of an attempt that failed
    before is set aside, not touched.
    """
    run = RunDirectory(sweep_job_folder(root, config, overrides))
    status = run.status() if run.path.exists() else None
    if status and status.status == "done":
        print(f"job {number}: {run.path.name} is done already", file=sys.stderr)
        return run
    if status and status.status == "running" and status.host == socket.gethostname():
        print(f"job {number}: {run.path.name} is being run by process {status.pid}", file=sys.stderr)
        return run
    if status and (status.status != "failed" or any(run.checkpoints.glob("step-*.ckpt"))):
        print(f"job {number} goes on: {run.path}", file=sys.stderr, flush=True)
    else:
        if status:
            _set_aside(run.path)
        print(f"job {number}: {run.path}", file=sys.stderr, flush=True)
        run = RunDirectory.create(run.path, config, overrides)
    if (code := work(run)) in (INTERRUPTED, KILLED):
        raise SweepInterrupted(code)
    return run


def _set_aside(folder: Path) -> None:
    attempt = 1
    while (kept := folder.with_name(f"{folder.name}.attempt{attempt}")).exists():
        attempt += 1
    folder.rename(kept)
