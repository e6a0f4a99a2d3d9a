"""Paths on a command line: run directories first, folders on the way to them."""

import os
from pathlib import Path

from quatrain.runs.directory import RunDirectory
from quatrain.runs.walk import SET_ASIDE

ROOT = "outputs"
"""Where runs lie unless run.root says otherwise."""

MOST = 40
"""So many runs are offered where nothing was written yet, the newest first."""


def run_paths(word: str, *, sweeps: bool = False) -> list[tuple[str, str]]:
    """Run directories and folders that begin with ``word``; for nothing the newest runs below outputs/.

    ``sweeps``: the newest sweeps, too, each before its runs.
    """
    if not word and (newest := _newest(Path(ROOT), sweeps)):
        return [(path, _says(Path(path)) or "a sweep") for path in newest]
    return [(path, says) for path, says in paths(word) if path.endswith("/") or says]


def paths(word: str) -> list[tuple[str, str]]:
    """Files and folders that begin with ``word``, folders with a stroke behind them unless they are runs."""
    folder, begun = os.path.split(word)
    place = Path(folder).expanduser() if folder else Path()
    try:
        entries = sorted(entry for entry in place.iterdir() if entry.name.startswith(begun))
    except OSError:
        return []
    found = []
    for entry in entries:
        if entry.name.startswith(".") and not begun.startswith("."):
            continue
        written = word[: len(word) - len(begun)] + entry.name
        says = _says(entry)
        found.append((f"{written}/" if entry.is_dir() and not says else written, says))
    return found


def _says(folder: Path) -> str:
    """The status of a run directory; nothing for any other folder."""
    run = RunDirectory(folder)
    if not run.config.is_file() or not run.status_file.is_file():
        return ""
    return f"a run, {run.status().status}"


def _newest(root: Path, sweeps: bool) -> list[str]:
    found = [file.parent for pattern in ("*/*", "sweeps/*/*") for file in root.glob(f"{pattern}/status.json")]
    dated = sorted(((folder.stat().st_mtime, folder) for folder in found if _counts(folder)), reverse=True)
    paths = [path for _, path in dated]
    if sweeps:
        inside = root / "sweeps"
        with_sweeps = [(path.parent, path) if path.parent.parent == inside else (path,) for path in paths]
        paths = list(dict.fromkeys(path for group in with_sweeps for path in group))
    return [str(path) for path in paths[:MOST]]


def _counts(folder: Path) -> bool:
    return folder.is_dir() and not SET_ASIDE.search(folder.name)
