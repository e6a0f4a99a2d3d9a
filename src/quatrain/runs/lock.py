"""One process at a time works in a run directory, and one command at a time on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quatrain.core.atomic_files import cannot_write
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory

AFTER_A_KILL = 2.0
"""Seconds that what a killed process started may outlive it, with its lock."""


@contextmanager
def locked(run: RunDirectory, lock_file: Path) -> Iterator[None]:
    """Hold a lock of the run within the block. The system lets go of it when the process ends, however it ends.

    ``lock_file`` is the worker's, ``run.lock``, or that of the command which starts workers, ``run.command_lock``.

    Raises:
        UserError: another process holds it.
        NotNow: the directory cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=AFTER_A_KILL)
    except Timeout:
        status = run.status()
        who = f"process {status.pid} on {status.host}" if status.status == "running" else "another process"
        raise UserError(f"{run.path} is being run by {who}; wait for its end, or end it first.") from None
    except OSError as error:
        raise cannot_write(lock_file, error) from error
    try:
        yield
    finally:
        lock.release()
