"""One process at a time works on a job of a sweep, whichever sweep or host of a shared folder it belongs to."""

import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import cannot_write
from quatrain.runs.identity import is_alive, start_of

RENEW_SECONDS = 10.0
STALE_SECONDS = 60.0
"""How long the holder on another host may be silent before its claim is taken: six renewals."""

SAID = (("host", str), ("space", str), ("pid", int), ("process_start", str), ("mark", str))
"""What a claim holds, and of which type."""


class Claim:
    """The right to work on one job, until `release` or the end of this process.

    It is a file that names host, process and that process's start time, and whose modification time says when it was
    renewed last, every `RENEW_SECONDS`, by a thread. ``on_lost`` is called where another host took it over, because
    this one was silent for too long: whatever works under the claim must be ended then, and save nothing more.
    ``lost`` says so afterwards.
    """

    def __init__(self, path: Path, *, on_lost: Callable[[], object]) -> None:
        self._path, self._on_lost = path, on_lost
        self._mark = secrets.token_hex(8)
        self._released = threading.Event()
        self.lost = False

    def _content(self) -> str:
        pid = os.getpid()
        process = {"pid": pid, "process_start": start_of(pid) or "", "mark": self._mark}
        return json.dumps({"host": socket.gethostname(), "space": space(), **process}) + "\n"

    def _begin(self) -> None:
        threading.Thread(target=self._renew, name="claim", daemon=True).start()

    def _renew(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            try:
                mine = self._is_mine()
                if mine:
                    os.utime(self._path)
            except OSError:  # a file system that is away for a moment
                continue
            if not mine:
                self.lost = not self._released.is_set()  # else it was this process that removed it
                if self.lost:
                    self._on_lost()
                return

    def _is_mine(self) -> bool:
        try:
            return _read(self._path).get("mark") == self._mark
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others work on the job."""
        self._released.set()
        with suppress(OSError):
            if self._is_mine():
                self._path.unlink()


def claim(path: Path, *, on_lost: Callable[[], object]) -> Claim | None:
    """Claim the job whose claim lies at ``path``; None where another process holds it.

    A claim is broken where its holder is of this host and gone, or of another host and silent for `STALE_SECONDS` by
    the file system's own clock.

    Raises:
        NotNow: the folder cannot be written.
    """
    from filelock import FileLock

    mine = Claim(path, on_lost=on_lost)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / "lock", timeout=STALE_SECONDS):  # of two that find a stale claim, one breaks it
            if path.exists() and not _is_stale(path):
                return None
            _write(path, mine._content())
    except OSError as error:
        raise cannot_write(path, error) from error
    mine._begin()
    return mine


def _read(path: Path) -> dict[str, Any]:
    """What a claim says; empty where it is torn, or not one of ours."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) and all(isinstance(found.get(key), kind) for key, kind in SAID) else {}


def _is_stale(path: Path) -> bool:
    try:
        found = _read(path)
        if found and (found["host"], found["space"]) == (socket.gethostname(), space()):
            return not is_alive(found["pid"], found["process_start"])
        # a claim from the future is none that was renewed: the clock was put back since
        return abs(now(path.parent) - path.stat().st_mtime) > STALE_SECONDS
    except FileNotFoundError:
        return True


def space() -> str:
    """Which processes can be seen from here: a container may see its own alone, under its host's name."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def now(folder: Path) -> float:
    """The time as the file system has it, whose clock marks the renewals; hosts' own clocks may differ.

    Raises:
        OSError: the folder cannot be written.
    """
    probe = folder / f".now-{secrets.token_hex(4)}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _write(path: Path, content: str) -> None:
    new = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    new.write_text(content, encoding="utf-8")
    new.replace(path)
