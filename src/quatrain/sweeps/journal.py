"""A study's journal that no kill can damage.

Optuna appends a line for each change. Its own lock is a file that a killed process leaves behind, which holds up all
others for half a minute, and a line that was torn by the kill swallows the next one. Here the system itself lets go of
the lock when a process ends, and whoever writes next first takes a torn end away: nobody was told that it was written.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.storages import JournalStorage

LONGEST_WAIT = 60.0
"""Seconds; a write takes milliseconds."""


def journal_storage(path: Path) -> "JournalStorage":
    """Optuna's storage in the journal at ``path``, which is made where there is none."""
    from filelock import FileLock
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=LONGEST_WAIT, poll_interval=0.01)

    class Locked:
        """Held while one appends; the torn end of a line is taken away first."""

        def acquire(self) -> bool:
            lock.acquire()
            try:
                cut_torn_end(path)
            except BaseException:
                lock.release()
                raise
            return True

        def release(self) -> None:
            lock.release()

    class Journal(JournalFileBackend):
        """Nobody reads while another cuts or appends."""

        def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:  # type: ignore[override]
            with lock:
                return list(super().read_logs(log_number_from))

    return JournalStorage(Journal(str(path), lock_obj=Locked()))  # type: ignore[arg-type]  # it has both its methods


def cut_torn_end(path: Path) -> None:
    """Take away what stands behind the last line's end."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        whole = end
        while whole:
            file.seek(max(0, whole - 4096))
            begin = file.tell()
            place = file.read(whole - begin).rfind(b"\n")
            if place >= 0:
                whole = begin + place + 1
                break
            whole = begin
        if whole < end:
            file.truncate(whole)
