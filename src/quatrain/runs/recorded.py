"""Reading what a run directory records, of which anyone may have written any part."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.reading import read_json, read_mapping

Shape = Callable[[Any], bool]

LONGEST_ROW = 1 << 16


def read_provenance(run: RunDirectory) -> dict[str, Any]:
    """Return what ``provenance.json`` holds; nothing where the run did not come so far as to write it.

    Raises:
        UserError: it is no mapping in JSON, or one of its parts is not of the shape that quatrain writes.
    """
    found = read_mapping(run.provenance, read_json, "") if os.path.lexists(run.provenance) else {}
    for name, is_right in SHAPES.items():
        if name in found and not is_right(found[name]):
            raise UserError(f"{run.provenance}: {name} is not of the shape that quatrain writes; mend or delete it.")
    return found


def newest_step(metrics: Path) -> int:
    """Return the step of the last whole row of a ``metrics.csv``, from its end alone; 0 before there is one."""
    if not metrics.exists():
        return 0
    with metrics.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_ROW))
        lines = file.read().split(b"\n")
    step = lines[-2].partition(b",")[0] if len(lines) > 1 else b""
    return int(step) if step.isdigit() else 0


def _table(value: Any) -> bool:
    return isinstance(value, dict)


def _choices(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(choice, dict) and "value" in choice for choice in value.values())


def _checkout(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and isinstance(value.get("commit"), str))


def _config(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resolved"), dict)


def _resumes(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("step"), int)
        and isinstance(entry.get("host"), str)
        and isinstance(entry.get("changed"), list)
        and all(isinstance(change, dict) and isinstance(change.get("what"), str) for change in entry["changed"])
        for entry in value
    )


SHAPES: dict[str, Shape] = {
    **dict.fromkeys(("versions", "threads", "environment", "fingerprints", "revisions", "seeds"), _table),
    **dict.fromkeys(("git", "quatrain_git"), _checkout),
    "choices": _choices,
    "config": _config,
    "resumed": _resumes,
}
