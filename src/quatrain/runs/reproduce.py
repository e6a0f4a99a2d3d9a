"""What a run is run again with, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import run_folder
from quatrain.runs.recorded import read_provenance
from quatrain.training.hardware import choose_threads

PINNED = {"devices": "trainer.devices", "precision": "trainer.precision"}
"""Choices that the original's machine made, and the key by which another machine makes them again."""

MOST_THREADS = 4096


@dataclass(frozen=True)
class Again:
    """What a run is run again with: its config, the pinned keys in it, variables for the worker, and what to say."""

    config: dict[str, Any]
    pinned: dict[str, Any]
    environment: dict[str, str]
    notes: list[str]


def again(original: RunDirectory, *, exact: bool = False, place: Path | None = None) -> Again:
    """Return what runs ``original`` again on this machine.

    The config is the original's, with the number of devices and the precision that its machine chose where the config
    left them open, and ``run.dir=place``. The threads are the original's; trackers that would reach out stay offline.

    Args:
        original: the run.
        exact: whether PyTorch's deterministic algorithms are turned on.
        place: the new run directory, where one was named.

    Raises:
        UserError: the config or the provenance cannot be read.
    """
    config, notes = original.read_config(), []
    for group in ("run", "trainer", "name"):
        if group not in config:
            raise UserError(f"{original.config} has no {group}; it was not written by quatrain.")
    chosen = {name: choice["value"] for name, choice in read_provenance(original).get("choices", {}).items()}
    pinned: dict[str, Any] = {}
    for choice, key in PINNED.items():
        group, _, name = key.partition(".")
        if choice in chosen and config[group].get(name) != chosen[choice]:
            config[group][name] = pinned[key] = chosen[choice]
            notes.append(f"{key}={chosen[choice]}, as the original's machine chose")
    config["run"]["dir"] = None if place is None else str(place)
    environment = {"WANDB_MODE": "offline", "MLFLOW_TRACKING_URI": ""}
    if _names_server(config):
        config["logger"]["mlflow"]["tracking_uri"] = pinned["logger.mlflow.tracking_uri"] = None
        notes.append("logger.mlflow.tracking_uri=null: MLflow keeps the new run as files")
    threads, devices = chosen.get("threads"), chosen.get("devices")
    here = choose_threads(devices if isinstance(devices, int) and devices > 0 else 1).value
    if isinstance(threads, int) and 0 < threads <= MOST_THREADS and threads != here:
        environment["OMP_NUM_THREADS"] = str(threads)
        notes.append(f"{threads} threads, as the original had; here it would be {here}")
    if exact and not config["trainer"].get("deterministic"):
        config["trainer"]["deterministic"] = True
        notes.append("trainer.deterministic=true: PyTorch's deterministic algorithms, which the original ran without")
    if config["trainer"].get("deterministic"):
        environment["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    return Again(config, pinned, environment, notes)


def _names_server(config: Mapping[str, Any]) -> bool:
    """Whether the config itself tells MLflow where to keep a run."""
    loggers = config.get("logger")
    mlflow = loggers.get("mlflow") if isinstance(loggers, dict) else None
    return isinstance(mlflow, dict) and mlflow.get("tracking_uri") is not None


def folder_for(original: RunDirectory, place: Path | None = None) -> Path:
    """Return where the new run goes: ``place``, or a new name beside the original, with its hash.

    The folder of a sweep is its jobs' alone; of these the new run goes to the folder of the experiment.

    Raises:
        UserError: ``place`` lies in the original.
    """
    if place is not None:
        if place.resolve().is_relative_to(original.path.resolve()):
            raise UserError(f"--dir={place} lies in the run that is reproduced; name a folder outside of it.")
        return place.absolute()
    config = original.read_config()
    beside, outputs = original.path.parent, original.path.parent.parent.parent
    new = run_folder(outputs, str(config["name"]), config, ["reproduce", *original.read_overrides()])
    return new if beside.parent.name == "sweeps" else beside / new.name


def last_step(original: RunDirectory) -> int:
    """Return the last step that ``original`` logged, which a reproduction can be compared up to.

    Raises:
        UserError: it is still under way, or logged nothing.
    """
    status = original.status()
    if status.status == "running":
        raise UserError(f"{original.path} is being run by process {status.pid} on {status.host}; wait for its end.")
    rows = original.read_metrics()
    if not rows:
        why = f" ({status.why})" if status.why else ""
        raise UserError(f"{original.path} is {status.status}{why} and logged no step, so there is nothing to compare.")
    return max(int(row["step"]) for row in rows)
