"""How far a job has come, from the end of its metrics."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TAIL_BYTES = 4096


def reached(metrics: Path, config: Mapping[str, Any]) -> str:
    """Say the epoch, counted from 1, and the step, each with how many there will be where the config sets it, and the
    loss; empty where the file says nothing or is broken, for what it says ends no sweep."""
    try:
        row = _last_values(metrics)
        return ", ".join(_parts(row, config))
    except (ValueError, csv.Error):
        return ""


def _parts(row: Mapping[str, str], config: Mapping[str, Any]) -> list[str]:
    trainer = config["trainer"] if isinstance(config.get("trainer"), Mapping) else {}
    limits = {name: trainer[name] for name in ("max_epochs", "max_steps") if isinstance(trainer.get(name), int)}
    if limits.get("max_steps", 0) > 0:
        limits.pop("max_epochs", None)  # the steps may end it before
    said = []
    for name, limit, first in (("epoch", "max_epochs", 1), ("step", "max_steps", 0)):
        if name in row:
            of = f"/{limits[limit]:,}" if limits.get(limit, 0) > 0 else ""
            said.append(f"{name} {int(row[name]) + first:,}{of}")
    return [*said, *([f"train/loss {float(row['train/loss']):.4g}"] if "train/loss" in row else [])]


def _last_values(path: Path) -> dict[str, str]:
    """The last value of each column among the last whole rows of a metrics file; none where there is none yet."""
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8", "replace")
            file.seek(max(file.tell(), path.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")[:-1]
    except OSError:
        return {}
    names, *rows = csv.reader([header, *lines])
    found: dict[str, str] = {}
    for row in rows:
        if len(row) == len(names):  # the first may have lost its beginning
            found |= {name: value for name, value in zip(names, row, strict=True) if value}
    return found
