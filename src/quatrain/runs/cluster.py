"""Runs under a cluster's scheduler: one folder for all ranks and every requeue, and who queues a job again."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quatrain.core.errors import NotNow, UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.leader import is_leader, tell
from quatrain.runs.naming import identity_hash

JOB = ("SLURM_JOB_ID", "TORCHELASTIC_RUN_ID")
REQUEUE_ON = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name))
"""Signals by which a job asks, with ``--signal``, for the time before its end."""

PATIENCE = 300.0
"""Seconds that a rank waits for the leading one to freeze the config."""


OF_A_RANK = ("SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
"""Variables by which a worker takes itself for one of the ranks that Slurm has started."""


def tasks_of_slurm() -> int:
    """How many tasks Slurm has started for this job; 1 outside of Slurm."""
    return int(os.environ.get("SLURM_NTASKS", "1"))


@contextmanager
def no_rank_of_slurm() -> Iterator[None]:
    """Within the block a worker trains alone or starts its ranks itself, as it would outside of Slurm."""
    hidden = {name: os.environ.pop(name) for name in OF_A_RANK if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def in_job() -> bool:
    """Whether a scheduler started this process, perhaps not for the first time, and perhaps as one of several ranks."""
    return any(os.environ.get(name) for name in JOB)


def is_again(run: RunDirectory, identity: str) -> bool:
    """Whether ``run`` is this job's own, made by it before it was queued again, or made by the leading rank.

    Raises:
        UserError: another experiment lies there.
        NotNow: the leading rank has made nothing within `PATIENCE`.
    """
    if not is_leader():
        _wait_for(run.config)
    if not run.config.is_file():
        return False
    if identity_hash(run.read_config()) != identity:
        raise UserError(f"{run.path} holds another experiment; name a new folder with run.dir=.")
    return True


def requeue(number: int) -> None:
    """Have Slurm queue this job again, where ``number`` is a signal that asks for it and nobody else does it.

    Under submitit it is submitit that does, when its own process gets the signal.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    if not (job and number in REQUEUE_ON and is_leader()) or "SUBMITIT_EXECUTOR" in os.environ:
        return
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    name = f"{array}_{task}" if array and task else job
    try:
        done = subprocess.run(["scontrol", "requeue", name], capture_output=True, text=True, timeout=30, check=False)
        why = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    tell(f"job {name} is not queued again ({why})" if why else f"job {name} is queued again")


def _wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.is_file():
        if time.monotonic() > end:
            raise NotNow(
                f"The leading rank has not written {path} within {PATIENCE:.0f} s; see its words, and start again."
            )
        time.sleep(0.2)
