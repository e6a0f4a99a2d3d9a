"""Working on a run until it ends: once, or again with smaller batches where memory did not suffice."""

import signal
import sys

from quatrain.core.exit_codes import DONE, INTERRUPTED, KILLED, REFUSED
from quatrain.runs.changes import read_changes
from quatrain.runs.directory import RunDirectory
from quatrain.runs.processes import start_worker


def work(run: RunDirectory) -> int:
    """Start a worker on ``run`` and wait for it; return its exit code.

    Where a rank ran out of memory and noted a smaller micro-batch (``trainer.auto_batch``), the run goes on with that.
    """
    while True:
        noted = len(read_changes(run))
        code = start_worker(run.path)
        if code in (DONE, REFUSED, INTERRUPTED) or len(read_changes(run)) == noted:
            break
    if code == KILLED:
        print(f"ended at once. Go on from the last checkpoint with: quatrain resume {run.path}", file=sys.stderr)
    elif code == 128 + signal.SIGKILL and run.status().status == "interrupted":
        print(
            "error: The run was killed from outside, as systems do when memory runs out; if nobody did it, lower"
            f" data.batch_size. Go on with: quatrain resume {run.path}",
            file=sys.stderr,
        )
    return code
