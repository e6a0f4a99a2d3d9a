"""One process at a time works in a run directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from quatrain.core.atomic_files import cannot_write
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory


@contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Hold the run's lock within the block. The system lets go of it when the process ends, however it ends.

    Raises:
        UserError: another process holds it.
        NotNow: the directory cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(run.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        status = run.status()
        raise UserError(
            f"{run.path} is being run by process {status.pid} on {status.host}; wait for its end, or end it first."
        ) from None
    except OSError as error:
        raise cannot_write(run.lock, error) from error
    try:
        yield
    finally:
        lock.release()
