"""What a folder of runs tells in short: how many of which status, the best, and why others failed."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.inventory import Entry, Inventory
from quatrain.runs.listing import Row, as_plain, counted, rows, shown_path
from quatrain.runs.recorded import read_provenance
from quatrain.runs.text_tables import cut, grid, heading, line
from quatrain.runs.units import in_age, in_bytes, in_time

if TYPE_CHECKING:
    from rich.console import RenderableType

TRAIN = ["quatrain", "train"]
FIRST = 5
"""Jobs that are shown, of the best and of those that failed."""


def sweep_overview(folder: Path, inventory: Inventory) -> dict[str, Any]:
    """The jobs of ``folder`` in short.

    Raises:
        UserError: there are none.
    """
    if not inventory.entries:
        damaged = [why for _, why in inventory.damaged]
        raise UserError(damaged or f"{folder} holds no run; name a run directory, or a folder of runs.")
    now, whole = time.time(), Row(tuple(inventory.entries), folder)
    best = [row.entries[0] for row in rows(inventory.entries, sorting="metric", grouped=()) if row.metric]
    failed = [entry for entry in inventory.entries if entry.status.status == "failed"]
    seconds = [entry.seconds for entry in inventory.entries if entry.seconds is not None]
    name = shlex.quote(shown_path(folder))
    return {
        "path": str(folder.absolute()),
        "runs": len(inventory.entries),
        "statuses": counted(inventory.entries),
        "experiments": sorted({entry.experiment for entry in inventory.entries}),
        "age": max(0.0, now - whole.time),
        "seconds": sum(seconds) if seconds else None,
        "bytes": whole.bytes,
        "best": [as_plain(entry, now) | {"changed": entry.changed} for entry in best[:FIRST]],
        "failed": [as_plain(entry, now) | {"changed": entry.changed} for entry in failed[:FIRST]],
        "best_of_search": str(folder / "best.yaml") if (folder / "best.yaml").is_file() else None,
        "next": [
            *_going_on(inventory.entries),
            (f"quatrain compare {name}", "means over seeds, intervals, which knob matters"),
            (f"quatrain runs {name} --sort metric", "every job, the best first"),
            (f"quatrain report {name}", "all of it as a page"),
        ],
    }


def _going_on(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """The command that goes on with a sweep of which jobs failed or were interrupted, as the newest of them has it."""
    left = [entry for entry in entries if entry.status.status in ("failed", "interrupted")]
    if not left:
        return []
    with suppress(UserError):
        found = read_provenance(RunDirectory(max(left, key=lambda entry: entry.time).path))
        command = found.get("command")
        if isinstance(command, list) and command[:2] == TRAIN and {"-m", "--multirun"} & {*map(str, command)}:
            return [(shlex.join(map(str, command)), "go on with what failed or was interrupted")]
    return []


def sweep_sections(found: Mapping[str, Any]) -> "Iterator[RenderableType]":
    """`sweep_overview` for a terminal."""
    took = [] if found["seconds"] is None else [("took", f"{in_time(found['seconds'])} in all")]
    search = [("search", f"{found['best_of_search']} holds its best trial")] if found["best_of_search"] else []
    yield grid(
        [
            ("runs", f"{found['runs']:,}: {found['statuses']}"),
            ("experiment", ", ".join(found["experiments"])),
            ("last change", f"{in_age(found['age'])} ago"),
            *took,
            ("size", in_bytes(found["bytes"])),
            *search,
        ]
    )
    if found["best"]:
        yield heading("best")
        scores = [_score(one["metric"]) for one in found["best"]]
        wide = max(map(len, scores))
        names = [Path(one["path"]).name for one in found["best"]]
        yield cut(f"{score:<{wide}}  {name}" for score, name in zip(scores, names, strict=True))
    if found["failed"]:
        yield heading("failed")
        yield grid((one["changed"], one["why"] or "") for one in found["failed"])
    yield heading("next")
    for command, what in found["next"]:
        yield line(f"  {command}    # {what}")


def _score(metric: Mapping[str, Any]) -> str:
    return f"{metric['name']} {metric['value']:.4g}"
