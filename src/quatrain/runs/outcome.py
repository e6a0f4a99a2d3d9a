"""How a run ended: its status, its sentences, its exit code."""

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.core.exit_codes import FAILED, INTERRUPTED, REFUSED
from quatrain.runs.changes import Change, changed, read_changes, write_changes
from quatrain.runs.cluster import requeue
from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.leader import global_rank, is_leader, tell
from quatrain.runs.run_log import log_of
from quatrain.training.preemption import Stopped

log = logging.getLogger("quatrain.run")


def interrupted(run: RunDirectory, stopped: Stopped) -> int:
    """Note that a signal ended the run, say how it goes on, and have a cluster queue it again; return the exit code."""
    if is_leader():
        with suppress(NotNow):  # a disk that is full; the process is gone, which tells as much
            run.set_status("interrupted", f"{stopped}.")
        saved = "a checkpoint is written" if stopped.saved else "it goes on from the last checkpoint, if there is one"
        tell(f"{stopped}; {saved}. Go on with: quatrain resume {run.path}")
        requeue(stopped.number)
    return INTERRUPTED


def pruned(run: RunDirectory, why: str, result: Mapping[str, Any]) -> None:
    """Record the result so far of a run that its search ended early, and say so; nothing is exported.

    ``result`` says under ``pruned`` why, so that nobody takes it for that of a whole training.
    """
    run.write_result({**result, "pruned": why})
    run.set_status("pruned", why)
    tell(why)


def refused(run: RunDirectory, sentences: list[str], before: RunStatus) -> int:
    """Say what is wrong, and return the exit code; a run that had been under way stays what it was ``before``."""
    if before.status not in ("done", "pruned", "interrupted", "failed"):
        return failed(run, sentences, REFUSED)
    if is_leader():
        run.set_status(before.status, before.why)
    return _say(sentences, REFUSED)


def failed(run: RunDirectory, sentences: list[str], code: int = FAILED) -> int:
    """Note the failure in the run directory and say it; return the exit code.

    The first rank that fails for itself notes why: what the others meet then is only that it is gone.
    """
    if run.path.is_dir() and (is_leader() or code == FAILED):
        try:
            if run.status().status != "failed":
                run.set_status("failed", " ".join(sentences))
        except NotNow as error:  # a disk that is full holds no status either; the process is gone, which tells enough
            sentences = [*sentences, *error.sentences]
    return _say(sentences, code)


def in_words(error: Exception, run: RunDirectory, changes: list[Change], trainer: Any) -> str:
    """What went wrong, and what to change; where memory did not suffice, a smaller batch is noted if that was asked.

    ``changes`` and ``trainer`` are what this process trained with; the latter None where it had not come so far.
    """
    from quatrain.training.failures import (
        counted_batches,
        is_out_of_memory,
        lost_loader_worker,
        out_of_memory,
        smaller_batches,
    )

    if is_out_of_memory(error):
        config = changed(run.read_config(), changes)
        smaller = smaller_batches(config, counted_batches(trainer) if trainer else {})
        if smaller is None or not config["trainer"]["auto_batch"]:
            return out_of_memory(config, smaller, "GPU" if "cuda" in str(error).lower() else "machine")
        if read_changes(run) == changes:  # else another rank was first
            write_changes(run, [*changes, Change("trainer.auto_batch=true", smaller)])
        settings = " ".join(f"{key}={value}" for key, value in smaller.items())
        return f"The memory did not suffice; the next start takes {settings}, which keeps the effective batch."
    what = " ".join(str(error).split()) or "no message"
    return (
        lost_loader_worker(error)
        or f"{type(error).__name__}: {what} (the traceback is in {log_of(run.log, global_rank())})"
    )


def _say(sentences: list[str], code: int) -> int:
    sentences = UserError(sentences).sentences  # an exception of a library may quote anything
    for sentence in sentences:
        log.error(sentence)
    if is_leader():
        for sentence in sentences:
            print(f"error: {sentence}", file=sys.stderr)
    elif code == FAILED:  # every rank refuses the same input; what breaks one rank, only it can tell
        print(f"error on rank {global_rank()}: {' '.join(sentences)}", file=sys.stderr)
    return code
