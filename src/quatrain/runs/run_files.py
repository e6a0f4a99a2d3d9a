"""The files of a run directory with their sizes: what is ours, its checkpoints, and earlier attempts beside it."""

import re
from pathlib import Path
from typing import NamedTuple

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.disk import room
from quatrain.runs.walk import SET_ASIDE

CHECKPOINT = re.compile(r"(?:step|within)-(\d+)-[0-9a-f]{16}\.ckpt")
"""A checkpoint's file, as `quatrain.training.checkpoint_files` names it, and its optimizer step."""

BEST, LAST = "best.ckpt", "last.ckpt"


class Checkpoint(NamedTuple):
    """One file; ``best`` and ``last`` where it has these names too, or is of the best checkpoint's step."""

    path: Path
    step: int
    bytes: int
    best: bool
    last: bool


def checkpoints_in(run: RunDirectory) -> list[Checkpoint]:
    """The checkpoints by step, told by their names alone; nothing of them is read."""
    if not run.checkpoints.is_dir() or run.checkpoints.is_symlink():
        return []
    named = [(path, name) for path in run.checkpoints.iterdir() if (name := CHECKPOINT.fullmatch(path.name))]
    whole = [(path, name) for path, name in named if path.is_file() and not path.is_symlink()]
    best = best_step(run)
    found = [
        Checkpoint(
            path,
            int(name[1]),
            path.stat().st_size,
            _same(path, run.checkpoints / BEST) or int(name[1]) == best,
            _same(path, run.checkpoints / LAST),
        )
        for path, name in whole
    ]
    return sorted(found, key=lambda one: (one.step, one.path.name))


def best_step(run: RunDirectory) -> int | None:
    """The optimizer step of the best weights, as ``result.json`` has it; None where it says none, or is not ours."""
    try:
        best = (run.read_result() or {}).get("best")
    except UserError:
        return None
    step = best.get("step") if isinstance(best, dict) else None
    return step if isinstance(step, int) and not isinstance(step, bool) else None


def sizes_of(run: RunDirectory) -> dict[str, int]:
    """What lies in the directory, a folder with all that is in it; the largest first, and nothing that is empty."""
    entries = {path.name + ("/" if path.is_dir() else ""): room(path) for path in run.path.iterdir()}
    return {name: size for name, size in sorted(entries.items(), key=lambda one: (-one[1], one[0])) if size}


def attempts_of(run: RunDirectory) -> list[Path]:
    """The folders of attempts at this run that failed and were set aside."""
    beside = run.path.parent.glob(f"{_plain(run.path.name)}.attempt*")
    return sorted(path for path in beside if SET_ASIDE.search(path.name) and path.is_dir() and not path.is_symlink())


def _plain(name: str) -> str:
    """A name that a glob takes as it is written."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _same(path: Path, name: Path) -> bool:
    try:
        return not name.is_symlink() and path.samefile(name)
    except OSError:
        return False
