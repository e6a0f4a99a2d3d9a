"""quatrain resume: go on with a run from its last checkpoint, or train a finished one on.

    quatrain resume outputs/quick_sonnets/20261122-101500-default-1a2b3c4d
    quatrain resume RUN --max-epochs 4

What follows is bit for bit what an unbroken run would have given. The run's config.yaml stays as it is; a new length is
recorded in changes.yaml beside it.
"""

import argparse
import socket
import sys
import time
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE
from quatrain.runs.directory import RunDirectory


def main(arguments: list[str]) -> int:
    """Run ``quatrain resume``; return its exit code: that of the run."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("resume", __doc__)
    parser.add_argument("run", metavar="RUN", help="the run directory")
    parser.add_argument("--max-epochs", type=_count, metavar="N", help="train on until N epochs are done in all")
    parser.add_argument(
        "--max-steps", type=_count, metavar="N", help="train on until N optimizer steps are done in all"
    )
    parser.add_argument(
        "--reschedule",
        action="store_true",
        help="stretch the learning-rate schedule to the new length; else it keeps its own and holds its last value",
    )
    asked = read_arguments(parser, arguments)
    if asked is None:
        return DONE
    return resume(asked.run, max_epochs=asked.max_epochs, max_steps=asked.max_steps, reschedule=asked.reschedule)


def resume(path: str, *, max_epochs: int | None = None, max_steps: int | None = None, reschedule: bool = False) -> int:
    """Go on with the run in ``path``; return the exit code of its worker.

    Raises:
        UserError: there is no such run, it is running or done, or its config may not be run here.
    """
    from quatrain.config.check import check
    from quatrain.runs.attempts import work
    from quatrain.runs.changes import changed, longer, read_changes
    from quatrain.runs.directory import load_run

    run = load_run(path)
    longer_now = max_epochs is not None or max_steps is not None
    if reschedule and not longer_now:
        raise UserError("--reschedule needs a new length to stretch the schedule to; add --max-epochs N.")
    _refuse_status(run, longer_now)
    change = None
    if longer_now:
        why = " ".join(["quatrain resume", *sys.argv[2:]])
        change = longer(why, max_epochs=max_epochs, max_steps=max_steps, reschedule=reschedule)
    config: dict[str, Any] = changed(run.read_config(), [*read_changes(run), *([change] if change else [])])
    check(config)
    return work(run, change)


def _refuse_status(run: RunDirectory, longer_now: bool) -> None:
    from quatrain.runs.lock import AFTER_A_KILL

    began = time.monotonic()
    while (status := run.status()).status == "running" and time.monotonic() < began + AFTER_A_KILL:
        time.sleep(0.05)
    if status.status in ("done", "pruned") and not longer_now:
        raise UserError(f"{run.path} is {status.status}; train it on with --max-epochs N or --max-steps N.")
    if status.status == "running" and status.host == socket.gethostname():  # of another machine's run the lock tells
        raise UserError(
            f"{run.path} is being run by process {status.pid} on {status.host}; wait for its end, or end it first."
        )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number from 1 on")
    return int(text)
