"""Working on a run until it ends: once, or again with smaller batches where memory did not suffice."""

import signal
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

from quatrain.core.exit_codes import DONE, INTERRUPTED, KILLED, REFUSED
from quatrain.runs.changes import Change, read_changes, write_changes
from quatrain.runs.directory import RunDirectory
from quatrain.runs.leader import is_leader
from quatrain.runs.lock import locked
from quatrain.runs.processes import start_worker


class Start(Protocol):
    """Starts a worker on a run directory and returns its exit code, as `quatrain.runs.processes.start_worker`."""

    def __call__(self, run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        """Wait for the worker's end."""
        ...


def work(
    run: RunDirectory,
    change: Change | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    start: Start | None = None,
) -> int:
    """Start a worker on ``run`` and wait for it; return its exit code.

    Where a rank ran out of memory and noted a smaller micro-batch (``trainer.auto_batch``), the run goes on with that.
    ``change`` is noted before, and taken back where the worker refuses it. ``environment``: variables for the worker.
    ``start`` starts it, in place of `start_worker`.

    Raises:
        UserError: another command works on this run.
        NotNow: the directory cannot be written.
    """
    with locked(run, run.command_lock) if is_leader() else nullcontext():
        before = read_changes(run)
        if change is not None:
            write_changes(run, [*before, change])
        code = _until_it_ends(run, environment, start or start_worker)
        if change is not None and code == REFUSED:
            write_changes(run, before)
    if code == KILLED:
        print(f"ended at once. Go on from the last checkpoint with: quatrain resume {run.path}", file=sys.stderr)
    elif code == 128 + signal.SIGKILL and run.status().status == "interrupted":
        print(
            "error: The run was killed from outside, as systems do when memory runs out; if nobody did it, lower"
            f" data.batch_size. Go on with: quatrain resume {run.path}",
            file=sys.stderr,
        )
    return code


def _until_it_ends(run: RunDirectory, environment: Mapping[str, str] | None, start: Start) -> int:
    while True:
        noted = len(read_changes(run))
        code = start(run.path, environment=environment)
        if code in (DONE, REFUSED, INTERRUPTED, KILLED) or len(read_changes(run)) == noted:
            return code
