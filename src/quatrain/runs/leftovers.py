"""What killed processes and failed attempts left behind, known by names that only quatrain gives."""

import glob
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.disk import freed
from quatrain.runs.identity import start_of
from quatrain.runs.removable import Removable
from quatrain.runs.removal import TEMPORARY, strangers
from quatrain.runs.walk import CONFIG, RESULT, SET_ASIDE

SILENT = 3600.0
"""Seconds after which nothing that is written counts as being written, by whatever host."""

WRITING = ".writing.ckpt.tmp"
"""A checkpoint that has not got its name yet."""

DAMAGED = ".corrupt"
"""How a checkpoint ends that was found damaged and set aside."""


def leftovers(folders: Sequence[Path], older_than: float = 0.0) -> Iterator[Removable]:
    """Yield what is left below ``folders``: attempts that were set aside, hidden temporary files and folders whose
    process is gone, what another cleaning did not finish, and damaged checkpoints.

    Links are not followed. ``older_than``: seconds since it was changed last.
    """
    now = time.time()
    for top in folders:
        for found in _below(top):
            if now - found.paths[0].lstat().st_mtime >= older_than:
                yield found


def attempts_of(run: Path) -> list[Path]:
    """The attempts at the run directory ``run`` that were set aside beside it."""
    there = run.parent.glob(f"{glob.escape(run.name)}.attempt*")
    return [path for path in there if SET_ASIDE.search(path.name) and not path.is_symlink() and _is_attempt(path)]


def _below(top: Path) -> Iterator[Removable]:
    for folder, below, files in os.walk(top):
        place = Path(folder)
        if RESULT in files or CONFIG in files:
            yield from _in_run(place)
            below.clear()
            continue
        for name in sorted(below):
            path = place / name
            if path.is_symlink():
                continue
            if SET_ASIDE.search(name) and _is_attempt(path):
                yield _removable(path, "attempt that failed, set aside")
            elif TEMPORARY.fullmatch(name) and _is_over(path) and not strangers(path):
                yield _removable(path, "unfinished folder of a process that is gone")
        below[:] = sorted(name for name in below if not (name.startswith(".") or SET_ASIDE.search(name)))


def _in_run(path: Path) -> Iterator[Removable]:
    """What is left in the run directory ``path``; of one that is under way nothing, for it may be at work on it."""
    run: RunDirectory | None = None
    try:
        if RunDirectory(path).status().status == "running":
            return
        run = RunDirectory(path)
    except UserError:
        pass  # another's config.yaml, or a run that nobody can work on
    for folder in (path, path / "checkpoints"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        for found in sorted(folder.iterdir()):
            if TEMPORARY.fullmatch(found.name) and not found.is_symlink() and _is_over(found):
                yield _removable(found, "unfinished file of a process that is gone", run)
            elif found.name == WRITING and not found.is_symlink() and time.time() - _changed(found) > SILENT:
                yield _removable(found, "unfinished checkpoint", run)
            elif folder != path and found.name.endswith(f".ckpt{DAMAGED}") and found.is_file():
                yield _removable(found, "damaged checkpoint, set aside", run)


def _removable(path: Path, what: str, run: RunDirectory | None = None) -> Removable:
    return Removable("leftover", (path,), freed([path]), what, run=run)


def _is_attempt(path: Path) -> bool:
    try:
        return RunDirectory(path).status().status != "running" and not strangers(path)
    except (UserError, OSError):
        return False


def _is_over(path: Path) -> bool:
    """Whether who wrote it is gone: of this host by its number, of any host as nothing was written for long."""
    found = TEMPORARY.fullmatch(path.name)
    if found is None or start_of(int(found["pid"])) is not None:
        return False
    return found["kind"] == "removed" or time.time() - _changed(path) > SILENT


def _changed(path: Path) -> float:
    newest = path.lstat().st_mtime
    if path.is_dir():
        newest = max([newest, *(entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(path))])
    return newest
