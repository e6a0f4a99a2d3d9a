"""Which commit a checkout stands at, and what differs from it, kept beside the run."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import replaced_whole
from quatrain.runs.git import git, line
from quatrain.runs.source_diff import uncommitted

NAMED = 50
"""So many of the files that a patch leaves out are named, and the others counted."""


def checkout_of(folder: Path) -> Path | None:
    """The root of the checkout that ``folder`` lies in; None where there is none, or no commit in it."""
    root = line(folder, "rev-parse", "--show-toplevel")
    return Path(root) if root and line(folder, "rev-parse", "--verify", "HEAD") else None


def own_checkout() -> Path | None:
    """The checkout that quatrain itself runs from; None where it is installed from a wheel.

    A package that lies in a project's virtual environment is none of the project's files.
    """
    package = Path(__file__).resolve().parents[1]
    root = checkout_of(package)
    tracked = git(package, "ls-files", "--error-unmatch", "--", "__init__.py")
    return root if tracked is not None else None


def git_state(folder: Path) -> dict[str, Any] | None:
    """``root``, ``commit``, ``branch`` (None where detached) and ``dirty`` (whether anything differs from the commit).

    None where ``folder`` lies in no checkout.
    """
    root = checkout_of(folder)
    if root is None:
        return None
    changed = git(root, "status", "--porcelain", "--untracked-files=normal")
    return {
        "root": str(root),
        "commit": line(root, "rev-parse", "HEAD"),
        "branch": line(root, "symbolic-ref", "--short", "--quiet", "HEAD"),
        "dirty": None if changed is None else bool(changed.strip()),
    }


def keep_source(folder: Path, patch: Path, *, outputs: Sequence[Path] = ()) -> dict[str, Any] | None:
    """Return the `git_state` of ``folder``, and write what differs from the commit to ``patch``.

    ``git apply patch`` on the commit gives the files back, untracked ones too; ``left_out`` names those it does not
    hold, with the reason (`quatrain.runs.source_diff.uncommitted`). Nothing is written where nothing differs.

    Args:
        folder: a folder of the checkout.
        patch: the file.
        outputs: folders that runs write to.

    Raises:
        NotNow: the file cannot be written.
    """
    state = git_state(folder)
    if state is None:
        return None
    found = uncommitted(Path(state["root"]), state["commit"], outputs=outputs)
    if found is None:
        return {**state, "diff": None, "left_out": {"*": "git did not answer in time"}}
    kept: dict[str, Any] = {"diff": None}
    if found.content:
        with replaced_whole(patch) as temporary:
            temporary.write_bytes(found.content)
        kept = {"diff": patch.name, "diff_sha256": hashlib.sha256(found.content).hexdigest()}
    readable = {os.fsencode(name).decode(errors="backslashreplace"): why for name, why in found.left_out.items()}
    named = dict(sorted(readable.items())[:NAMED])
    if more := len(found.left_out) - len(named):
        named["*"] = f"{more:,} more files"
    return {**state, **kept, "left_out": named}
