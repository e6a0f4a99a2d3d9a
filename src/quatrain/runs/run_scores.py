"""What a run scored: the best and the last value of each metric, and the intervals that an evaluation measured."""

from collections.abc import Mapping
from typing import Any

from quatrain.runs.directory import RunDirectory
from quatrain.runs.evaluations import read_evaluations
from quatrain.runs.reading import finite

SPEED = ("seconds", "tokens", "tokens_per_second", "flops_per_second", "mfu", "data_wait")


def scores_of(run: RunDirectory, result: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """For each metric its ``best`` (of the best weights) and ``last`` value, as far as there are any.

    Of a run without a result the last values that were logged.

    Raises:
        UserError: the metrics cannot be read.
    """
    found: dict[str, dict[str, float]] = {}
    last = result["metrics"] if isinstance(result.get("metrics"), dict) else _logged(run)
    best = result["best"] if isinstance(result.get("best"), dict) else {}
    for which, values in (("best", best), ("last", last)):
        for name, value in values.items():
            if "/" in str(name) and (number := finite(value)) is not None:
                found.setdefault(str(name), {})[which] = number
    return dict(sorted(found.items(), key=lambda one: _rank(one[0])))


def intervals_of(run: RunDirectory) -> dict[str, dict[str, float]]:
    """What ``quatrain evaluate`` measured of the run, by ``val/...`` and ``test/...``: ``value``, ``low``, ``high``.

    Nothing where the run was trained on since.

    Raises:
        UserError: the file was not written by quatrain.
    """
    if not run.evaluation.exists() or not run.result.exists():
        return {}
    if run.evaluation.stat().st_mtime_ns < run.result.stat().st_mtime_ns:
        return {}
    found = {}
    for split, entry in read_evaluations(run).items():
        metrics = entry.get("metrics")
        for metric, said in metrics.items() if isinstance(metrics, dict) else ():
            numbers = said if isinstance(said, dict) else {}
            known = ((name, finite(numbers.get(name))) for name in ("value", "low", "high"))
            if kept := {name: value for name, value in known if value is not None}:
                found[f"{str(split).replace('validation', 'val', 1)}/{metric}"] = kept
    return found


def speed_of(result: Mapping[str, Any]) -> dict[str, float]:
    """Seconds, tokens and rates of the training, as far as they are known."""
    return {name: value for name in SPEED if (value := finite(result.get(name))) is not None}


def _logged(run: RunDirectory) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in run.read_metrics():
        found |= {name: value for name, value in row.items() if name.startswith("val") or name == "train/loss"}
    return found


def _rank(name: str) -> tuple[int, str]:
    """Held-out scores before those of training; of equals by name, the loss first."""
    stage = 1 if name.startswith("train") else 0
    return stage, name.replace("/loss", "/")
