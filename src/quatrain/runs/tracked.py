"""A run as trackers are told of it, and how they hear of its end."""

from collections.abc import Iterable, Mapping
from typing import Any

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import one_line
from quatrain.runs.directory import RunDirectory
from quatrain.runs.leader import tell
from quatrain.runs.naming import readable_tag
from quatrain.runs.recorded import read_provenance
from quatrain.tracking import trackers
from quatrain.tracking.facts import RunFacts
from quatrain.training.hardware import Choice

ORIGIN = ("started", "python", "platform", "cpu", "gpus", "cuda", "fingerprints", "ranks")
PACKAGES = ("quatrain", "torch", "pytorch-lightning", "transformers", "tokenizers", "datasets")


def choose_trackers(loggers: Iterable[Any]) -> dict[str, Choice]:
    """Decide where each tracker shows the run, each choice with its reason, and say so.

    Raises:
        UserError: a tracker was asked for what cannot be had.
    """
    chosen = {tracker.key: choice for tracker in trackers.trackers(loggers) if (choice := tracker.choose())}
    choices = {name: Choice(value, reason) for name, (value, reason) in chosen.items()}
    tell(*(f"{name}: {choice.value} ({choice.reason})" for name, choice in choices.items()))
    return choices


def facts_of(run: RunDirectory, config: Mapping[str, Any], task: str, start_step: int | None) -> RunFacts:
    """What a tracker is told of ``run``, which is trained with ``config`` and goes on after ``start_step``."""
    recorded = read_provenance(run)
    versions = {name: version for name, version in recorded.get("versions", {}).items() if name in PACKAGES}
    commits = {name: found["commit"] for name in ("git", "quatrain_git") if (found := recorded.get(name))}
    return RunFacts(
        directory=run.path,
        experiment=str(config["name"]),
        tag=readable_tag(run.read_overrides()),
        labels=_labels(config, task),
        config=_harmless(config),
        sweep=_sweep(run, config),
        origin=_harmless(
            {name: recorded[name] for name in ORIGIN if name in recorded} | {"versions": versions} | commits
        ),
        start_step=start_step,
        rows=run.read_metrics() if start_step is not None else (),
    )


def finish_trackers(run: RunDirectory, loggers: Iterable[Any], code: int) -> None:
    """Tell trackers how ``run`` ended: with what status, why, and with which exit code."""
    status = run.status()
    trackers.finish(loggers, code, status.status, status.why)


def _sweep(run: RunDirectory, config: Mapping[str, Any]) -> str | None:
    """The sweep's name; None for a single run."""
    name = config["sweep"]["name"]
    return str(name) if name and run.path.parent.name == name else None


def _labels(config: Mapping[str, Any], task: str) -> list[str]:
    model = config["model"]
    of_config = (model.get("config") or {}).get("model_type")
    names = (task, config["data"].get("source"), model.get("weights") or of_config)
    return [one_line(redact_text(str(name))).rstrip("/").rpartition("/")[2] for name in names if name]


def _harmless(value: Any) -> Any:
    """``value`` with secrets hidden in all of its texts; a config should have none."""
    if isinstance(value, Mapping):
        return {str(name): _harmless(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(item) for item in value]
    return redact_text(value) if isinstance(value, str) else value
