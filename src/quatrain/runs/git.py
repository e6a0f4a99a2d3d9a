"""Asking git about a checkout: nothing in it is changed, and no hook, monitor or external diff of it is run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

QUIET = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false")
SECONDS = 20


def git(
    folder: Path, *arguments: str, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
) -> bytes | None:
    """Return what ``git arguments`` prints in ``folder``; None where it fails, takes too long, or is not installed.

    The variables with which a git hook points at a repository are not handed on, and no lock is taken.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")
    }
    own = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(environment or {})}
    try:
        done = subprocess.run(
            ["git", *QUIET, "-C", str(folder), *arguments],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**inherited, **own},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def line(folder: Path, *arguments: str) -> str | None:
    """The one line that ``git arguments`` prints; None as `git`, and where it is empty."""
    printed = git(folder, *arguments)
    return printed.decode(errors="replace").strip() or None if printed is not None else None


def names(printed: bytes | None) -> list[str]:
    """The file names of a list that git ended with NUL bytes (``-z``)."""
    return [os.fsdecode(name) for name in (printed or b"").split(b"\0") if name]
