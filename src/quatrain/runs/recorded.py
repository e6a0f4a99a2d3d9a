"""Reading what a run directory records, of which anyone may have written any part."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory

Shape = Callable[[Any], bool]

LONGEST_ROW = 1 << 16


def read_provenance(run: RunDirectory) -> dict[str, Any]:
    """Return what ``provenance.json`` holds; nothing where the run did not come so far as to write it.

    Raises:
        UserError: it is no mapping in JSON, or one of its parts is not of the shape that quatrain writes.
    """
    try:
        found = json.loads(run.provenance.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{run.provenance} cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(found, dict):
        raise UserError(f"{run.provenance} holds no mapping; it was not written by quatrain.")
    for name, is_right in SHAPES.items():
        if name in found and not is_right(found[name]):
            raise UserError(f"{run.provenance}: {name} is not of the shape that quatrain writes; mend or delete it.")
    return found


def read_rows(run: RunDirectory) -> list[dict[str, int | float]]:
    """Return the rows of ``metrics.csv``, each with its ``step``.

    Raises:
        UserError: it holds something else.
    """
    try:
        rows = run.read_metrics()
        for row in rows:
            row["step"] = int(row["step"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, csv.Error) as error:
        raise UserError(
            f"{run.metrics} does not hold rows of numbers, each with its step; mend or delete it."
        ) from error
    return rows


def newest_step(metrics: Path) -> int:
    """Return the step of the last whole row of a ``metrics.csv``, from its end alone; 0 before there is one."""
    if not metrics.exists():
        return 0
    with metrics.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_ROW))
        lines = file.read().split(b"\n")
    step = lines[-2].partition(b",")[0] if len(lines) > 1 else b""
    return int(step) if step.isdigit() else 0


def read_overrides(run: RunDirectory) -> list[str]:
    """Return the overrides of the command that made the run.

    Raises:
        UserError: ``overrides.yaml`` is no list of texts.
    """
    try:
        found = run.read_overrides()
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise UserError(f"{run.overrides} is no list of overrides; mend or delete it.") from error
    if not all(isinstance(word, str) for word in found):
        raise UserError(f"{run.overrides} is no list of overrides; mend or delete it.")
    return found


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
