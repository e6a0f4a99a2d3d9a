"""Deleting a run, or a part of one, so that whatever happens meanwhile leaves nothing that looks whole and is not."""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from quatrain.core.errors import NotNow, UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.lock import locked
from quatrain.runs.walk import SET_ASIDE

OURS = frozenset({
    "config.yaml", "overrides.yaml", "changes.yaml", "provenance.json", "status.json", "metrics.csv", "result.json",
    "evaluation.json", "samples.jsonl", "examples.json", "report.html", "run.log", "console.log", "inputs.json",
    "reproduction.json", "source.diff", "quatrain.diff", "checkpoints", "export", "export-onnx", "tracking", "profile",
    "lightning_logs", ".lock", ".command.lock",
})  # fmt: skip
"""What a run writes into its directory, at the top."""

TEMPORARY = re.compile(r"\..+\.(?P<pid>\d+)-[0-9a-f]{8}\.(?P<kind>tmp|removed)")
"""What is written, or deleted, by the process of this number has such a name; `temporary_sibling` gives it."""

_OF_RANKS = re.compile(r"run\.rank\d+\.log")

Guard = Callable[[RunDirectory], AbstractContextManager[None]]
"""Keeps others from beginning to work on a run; raises a `UserError` where somebody does."""


def strangers(folder: Path) -> list[str]:
    """The names in a run directory that no run gives: somebody put them there."""
    return sorted(
        entry.name
        for entry in os.scandir(folder)
        if not (entry.name in OURS or _OF_RANKS.fullmatch(entry.name) or TEMPORARY.fullmatch(entry.name))
    )


def remove_run(run: RunDirectory, status: str, *, guard: Guard) -> None:
    """Delete the directory of ``run``, which is still of ``status``; nobody works on it meanwhile.

    It is renamed to a hidden name first, at once, under which nothing takes it for a run. Links in it are deleted, not
    followed.

    Raises:
        UserError: somebody works on it, or its status is another now, or it holds what no run wrote.
        NotNow: it, or all of it, cannot be deleted.
    """
    with guard(run), _nobody_works_on(run):
        if (now := run.status().status) != status:
            raise UserError(f"{run.path} is {now} now; it is left.")
        if found := strangers(run.path):
            raise UserError(f"{run.path} is left, for it holds what no run wrote: {', '.join(found[:5])}.")
        hidden = hide(run.path)
    delete_hidden(hidden)


def remove_checkpoints(run: RunDirectory, paths: Sequence[Path], *, guard: Guard) -> None:
    """Delete ``paths`` in the checkpoints folder of ``run``, which is done; nobody works on it meanwhile.

    Raises:
        UserError: somebody works on it, or it is no longer done.
        NotNow: a file cannot be deleted.
    """
    with guard(run), _nobody_works_on(run):
        if (status := run.status().status) != "done":
            raise UserError(f"{run.path} is {status} now; its checkpoints are left.")
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise _cannot_delete(path, error) from error


def remove_leftover(path: Path) -> None:
    """Delete what `quatrain.runs.leftovers` found; a folder that looks like a run is hidden first.

    Raises:
        UserError: it is a run that somebody works on, or a link.
        NotNow: it cannot be deleted.
    """
    if SET_ASIDE.search(path.name):
        if RunDirectory(path).status().status == "running":
            raise UserError(f"{path} is running; it is left.")
        path = hide(path)
    delete_hidden(path)


def hide(path: Path) -> Path:
    """Rename ``path`` to a hidden name beside it that says who deletes it; return that.

    Raises:
        UserError: it is a link.
        NotNow: it cannot be renamed.
    """
    if path.is_symlink():
        raise UserError(f"{path} is a link, and what it leads to is not deleted; delete the link by hand.")
    hidden = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}-{secrets.token_hex(4)}.removed")
    try:
        path.rename(hidden)
    except OSError as error:
        raise _cannot_delete(path, error) from error
    return hidden


def delete_hidden(path: Path) -> None:
    """Delete a file or a folder with all that is in it.

    Raises:
        NotNow: something in it cannot be deleted.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:  # another was quicker
        return
    except OSError as error:
        raise _cannot_delete(path, error) from error


@contextmanager
def _nobody_works_on(run: RunDirectory) -> Iterator[None]:
    if not run.path.is_dir():
        raise UserError(f"{run.path} is gone already.")
    with locked(run, run.command_lock), locked(run, run.lock):
        yield


def _cannot_delete(path: Path, error: OSError) -> NotNow:
    return NotNow(f"{error.filename or path} cannot be deleted ({error.strerror}); grant access, and clean again.")
