"""All that a run directory tells of its run, as plain values; what of it is damaged is told and left out."""

import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quatrain.core.errors import UserError
from quatrain.runs.changes import Change, changed, read_changes
from quatrain.runs.directory import RunDirectory
from quatrain.runs.disk import room
from quatrain.runs.inventory import entry_of
from quatrain.runs.listing import as_plain, shown_path
from quatrain.runs.recorded import read_provenance
from quatrain.runs.run_files import attempts_of, checkpoints_in, sizes_of
from quatrain.runs.run_scores import intervals_of, scores_of, speed_of
from quatrain.runs.walk import CLAIMS, RunFolder

Found = TypeVar("Found")
Table = dict[str, Any]

SETTINGS = (
    "tokenizer._target_",
    "tokenizer.source",
    "tokenizer.vocab_size",
    "model.weights",
    "model.config.model_type",
    "data.source",
    "data.max_length",
    "data.batch_size",
    "optimizer._target_",
    "optimizer.lr",
    "schedule._target_",
    "trainer.max_epochs",
    "trainer.max_steps",
    "seed",
)
"""Keys of the config that say most about a run."""

USES = {
    "sequence_classification": "quatrain predict {run} rows.csv --output labelled.csv",
    "masked_lm": 'quatrain fill {run} "a text with its <mask>"',
    "causal_lm": 'quatrain generate {run} "a beginning"',
}
"""What a model of each task is asked with."""


def overview(run: RunDirectory) -> tuple[dict[str, Any], list[str]]:
    """Return what is known of ``run``, and a sentence for each part that cannot be read.

    Raises:
        UserError: not even its status can.
    """
    told: list[str] = []
    sweep = run.path.parent if (run.path.parent / CLAIMS).is_dir() else None
    entry = entry_of(RunFolder(run.path, True, run.result.exists(), sweep))
    nothing: Table = {}
    config = _part(lambda: changed(run.read_config(), read_changes(run)), nothing, told)
    origin = _part(lambda: read_provenance(run), nothing, told)
    result = _part(run.read_result, None, told) or {}
    changes = _part(lambda: read_changes(run), list[Change](), told)
    task = _leaf(config, "model.task")
    found = as_plain(entry, time.time()) | {
        "task": task,
        "changes": [{"why": one.why, "set": one.set} for one in changes],
        "settings": {key: value for key in SETTINGS if (value := _leaf(config, key)) not in (None, "", -1)},
        "started": origin.get("started"),
        "resumed": [
            {name: one.get(name) for name in ("time", "step", "host")} for one in origin.get("resumed", ()) or ()
        ],
        "where": _where(origin),
        "code": _code(origin),
        "best_step": _leaf(result, "best.step"),
        "scores": _part(lambda: Table(scores_of(run, result)), nothing, told),
        "intervals": _part(lambda: Table(intervals_of(run)), nothing, told),
        "speed": speed_of(result),
        "data": _plain_table(origin.get("data")),
        "parameters": _part(lambda: _parameters(run.export / "model.safetensors"), None, told),
        "checkpoints": [
            {"file": one.path.name, "step": one.step, "bytes": one.bytes, "best": one.best, "last": one.last}
            for one in checkpoints_in(run)
        ],
        "attempts": [{"path": str(path), "bytes": room(path)} for path in attempts_of(run)],
        "files": sizes_of(run),
    }
    return found | {"next": next_commands(run, found)}, told


def next_commands(run: RunDirectory, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Commands that make sense for a run of this status, each with what it does."""
    name, status = shlex.quote(shown_path(run.path)), found["status"]
    if status == "done":
        used = USES.get(str(found["task"]))
        return [
            (f"quatrain evaluate {name}", "its scores with intervals"),
            *([(used.format(run=name), "ask it")] if used else []),
            (f"quatrain report {name}", "curves and examples as a page"),
            (f"quatrain resume {name} --max-epochs N --reschedule", "train on"),
        ]
    if status == "running":
        return [(f"quatrain show {name}", "look again")]
    if status == "pruned":
        return [(f"quatrain resume {name} --max-epochs N", "train on what the search ended early")]
    what = "go on from the last checkpoint" if found["checkpoints"] else "begin anew, as there is no checkpoint"
    return [(f"quatrain resume {name}", what)]


def _where(origin: Mapping[str, Any]) -> dict[str, Any]:
    chosen = origin.get("choices", {})
    names = ("host", "cpu", "cpus_usable", "gpus", "platform", "python", "ranks")
    kept = {name: origin[name] for name in names if origin.get(name) not in (None, [])}
    choices = {name: chosen[name]["value"] for name in ("accelerator", "precision") if name in chosen}
    return kept | choices | {"torch": origin.get("versions", {}).get("torch")}


def _code(origin: Mapping[str, Any]) -> dict[str, Any]:
    command, git = origin.get("command"), origin.get("git") or {}
    said = shlex.join(map(str, command)) if isinstance(command, list) else None
    return {"command": said} | {name: git.get(name) for name in ("commit", "branch", "dirty", "diff")}


def _parameters(file: Path) -> int | None:
    """How many numbers the exported weights have; from the file's head alone."""
    if not file.is_file() or file.is_symlink():
        return None
    from math import prod

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            return sum(prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file} is no whole safetensors file ({error}).") from error


def _plain_table(found: Any) -> dict[str, int | float | str]:
    table = found if isinstance(found, dict) else {}
    return {str(name): value for name, value in table.items() if isinstance(value, int | float | str)}


def _leaf(config: Any, key: str) -> Any:
    """The value at a dotted key; None where there is none."""
    for name in key.split("."):
        config = config.get(name) if isinstance(config, dict) else None
    return config if not isinstance(config, dict | list) else None


def _part(read: Callable[[], Found], instead: Found, told: list[str]) -> Found:
    try:
        return read()
    except UserError as error:
        told += error.sentences
    except (OSError, ValueError, KeyError, TypeError) as error:
        told.append(f"A part cannot be read ({type(error).__name__}: {error}).")
    return instead
