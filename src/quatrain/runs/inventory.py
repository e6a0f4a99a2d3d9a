"""What runs there are below some folders: of each its status, its score, its age and its size, from a few small files.

No whole config is parsed for it, and no torch imported: thousands of runs are looked at in seconds.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.disk import room
from quatrain.runs.reading import finite, read_text, read_yaml_text
from quatrain.runs.recorded import newest_step
from quatrain.runs.walk import RunFolder, run_folders

UNSAID = ("experiment", "run", "logger", "sweep", "hydra")
"""Parts of a config whose overrides tell nothing that a list of runs does not show anyway."""

_LONGEST_CONFIG = 10**6


@dataclass(frozen=True)
class Metric:
    """The best value of what chose the checkpoints, and which of its values are good (None: not known)."""

    name: str
    value: float
    mode: str | None


@dataclass(frozen=True)
class Entry:
    """One run. ``seconds`` are those of training of one that has a result, else from its beginning to its last sign
    of life by the clock; ``time`` is when its status was set, as seconds since 1970; ``sweep`` its sweep's folder."""

    path: Path
    sweep: Path | None
    status: RunStatus
    experiment: str
    seed: int | None
    overrides: tuple[str, ...]
    metric: Metric | None
    step: int | None
    seconds: float | None
    time: float
    bytes: int

    @property
    def changed(self) -> str:
        """What was overridden, for the eye: of each key the last word, of a path the file."""
        shown = (text.lstrip("+").partition("=") for text in self.overrides)
        said = [(key, value) for key, _, value in shown if key.split(".")[0].split("/")[0] not in UNSAID]
        short = (f"{key.rpartition('.')[2]}={value.rstrip('/').rpartition('/')[2]}" for key, value in said)
        return " ".join(short) or "default"

    def age(self, now: float) -> float:
        """Seconds since the status was set."""
        return max(0.0, now - self.time)


@dataclass
class Inventory:
    """The runs that were found; those that cannot be read, each with a sentence; and what else is to be told."""

    entries: list[Entry] = field(default_factory=list)
    damaged: list[tuple[Path, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def take_inventory(folders: Sequence[str]) -> Inventory:
    """Look at every run directory in ``folders`` and below, each once; see `quatrain.runs.walk.run_folders`.

    Raises:
        UserError: a folder does not exist.
    """
    places = [Path(folder).expanduser() for folder in folders]
    if missing := [place for place in places if not place.is_dir()]:
        raise UserError(
            f"There is no folder {place}; name one that holds runs, such as outputs, which quatrain train makes."
            for place in missing
        )
    inventory = Inventory()
    seen: set[Path] = set()
    results_alone = 0
    for top in places:
        for found in run_folders(top, inventory.told):
            if (real := found.path.resolve()) in seen:
                continue
            seen.add(real)
            if not found.has_config:
                results_alone += 1
                continue
            if not any((found.path / name).exists() for name in ("status.json", "overrides.yaml")):
                continue  # a config.yaml of another kind, such as a project's own
            _add(inventory, found)
    if results_alone:
        what = "1 folder holds" if results_alone == 1 else f"{results_alone:,} folders hold"
        inventory.told.append(f"{what} a result.json alone, without its run; quatrain compare reads it.")
    return inventory


def _add(inventory: Inventory, found: RunFolder) -> None:
    try:
        inventory.entries.append(entry_of(found))
    except UserError as error:
        inventory.damaged.append((found.path, error.sentences[0]))
    except OSError as error:
        if found.path.is_dir():  # else it was removed as we looked
            inventory.damaged.append((found.path, f"{error.filename} cannot be read ({error.strerror})."))


def entry_of(found: RunFolder) -> Entry:
    """What is known of one run directory.

    Raises:
        UserError: a file in it was not written by quatrain.
        OSError: one cannot be read.
    """
    run = RunDirectory(found.path)
    status = run.status()
    result = (run.read_result() if found.has_result else None) or {}
    name, seed = result.get("name"), result.get("seed")
    head = {} if isinstance(name, str) and _whole(seed) else _head(run.config)
    return Entry(
        path=found.path,
        sweep=found.sweep,
        status=status,
        experiment=str(name or head.get("name") or found.path.parent.name),
        seed=seed if _whole(seed) else head.get("seed") if _whole(head.get("seed")) else None,
        overrides=tuple(run.read_overrides()),
        metric=_metric(result),
        step=_step(run, result),
        seconds=_seconds(run, status, result),
        time=_moment(status, run.status_file),
        bytes=room(run.path),
    )


def _head(config: Path) -> dict[str, Any]:
    """Name and seed, which stand in lines of their own, without parsing the rest."""
    lines = [line for line in read_text(config, _LONGEST_CONFIG).split("\n") if line.startswith(("name: ", "seed: "))]
    found = read_yaml_text("\n".join(lines), config)
    return found if isinstance(found, dict) else {}


def _metric(result: dict[str, Any]) -> Metric | None:
    best = result.get("best")
    best = best if isinstance(best, dict) else {}
    name, mode = result.get("monitor") or best.get("monitor"), result.get("mode")
    value = finite(best.get(name)) if isinstance(name, str) else None
    return None if value is None else Metric(str(name), value, mode if mode in ("min", "max") else None)


def _step(run: RunDirectory, result: dict[str, Any]) -> int | None:
    """The last step that was logged; of a run with a result None, whose best step that tells."""
    return None if result else newest_step(run.metrics_file) or None


def _seconds(run: RunDirectory, status: RunStatus, result: dict[str, Any]) -> float | None:
    if (trained := finite(result.get("seconds"))) is not None:
        return trained
    begun = run.config.stat().st_mtime
    if status.status == "queued":
        return None
    last = time.time() if status.status == "running" else _last_sign(run)
    return last - begun if last >= begun else None


def _last_sign(run: RunDirectory) -> float:
    files = (run.status_file, run.metrics_file, run.log)
    return max(file.stat().st_mtime for file in files if file.exists())


def _moment(status: RunStatus, file: Path) -> float:
    try:
        return datetime.fromisoformat(status.time).timestamp()
    except (ValueError, OverflowError, OSError):
        return file.stat().st_mtime


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
