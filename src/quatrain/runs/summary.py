"""What ``result.json`` says beyond the scores, so that it can be compared where nothing else of the run is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import NOT_IDENTITY, identity_hash

MOST_POINTS = 200
"""Points of a curve, and the lowest, the highest and the last of it besides."""

TRAINING = "train/loss"


def summary(run: RunDirectory, config: Mapping[str, Any], task_monitor: tuple[str, str]) -> dict[str, Any]:
    """What a comparison needs: which experiment it was, by what it is judged, and its curves.

    ``monitor`` is the metric of the best checkpoint and ``mode`` which of its values are good; both are null where no
    validation logged it. ``history`` has the validation metrics and the training loss, each as ``step`` and ``value``.

    Args:
        run: the run, with all its metrics written.
        config: what was trained, changes included; its parts that are no identity are left out.
        task_monitor: the metric and mode that the data choose where the config names none.
    """
    history = _history(run.read_metrics())
    own = config["callbacks"].get("checkpoints") or {"monitor": None}
    monitor, mode = task_monitor if own["monitor"] is None else (own["monitor"], own["mode"])
    return {
        "name": config["name"],
        "seed": config["seed"],
        "identity": identity_hash(config),
        "config": {name: value for name, value in config.items() if name not in NOT_IDENTITY},
        "monitor": monitor if monitor in history else None,
        "mode": mode if monitor in history else None,
        "history": history,
    }


def _history(rows: Sequence[Mapping[str, int | float]]) -> dict[str, dict[str, list[int | float]]]:
    names = dict.fromkeys(name for row in rows for name in row if name.startswith("val") or name == TRAINING)
    return {name: _curve([(row["step"], row[name]) for row in rows if name in row]) for name in names}


def _curve(points: Sequence[tuple[int | float, int | float]]) -> dict[str, list[int | float]]:
    kept = [points[place] for place in thinned([value for _, value in points])]
    return {"step": [step for step, _ in kept], "value": [value for _, value in kept]}


def thinned(values: Sequence[int | float], most: int = MOST_POINTS) -> list[int]:
    """Places of at most ``most`` values, evenly apart, with the first, the last, the lowest and the highest."""
    count = len(values)
    if count <= most:
        return list(range(count))
    finite = [place for place in range(count) if math.isfinite(values[place])]
    ends = {choose(finite, key=values.__getitem__) for choose in (min, max)} if finite else set()
    return sorted(ends | {round(place * (count - 1) / (most - 1)) for place in range(most)})
