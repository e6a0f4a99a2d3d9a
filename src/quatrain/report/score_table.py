"""The scores of a run: of its best checkpoint with their intervals, and the last beside them."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from quatrain.report.numbers import number
from quatrain.report.rendering import joined, render, table
from quatrain.report.run_files import RunFiles


def score_table(files: RunFiles) -> Markup:
    """Each metric: the best checkpoint's, its 95 % interval where it was evaluated, and the last; nothing without any.

    The interval is of the evaluation of the best weights, whose own value stands beside it: it counts the whole split,
    in the precision of the evaluation, where training may have counted a part.
    """
    best, last = (dict(_mapping(files.result.get(name))) for name in ("best", "metrics"))
    best |= {
        name: last.pop(name) for name in list(last) if str(name).startswith("test")
    }  # scored with the best weights
    measured = dict(_measured(files.evaluations))
    names = [name for name in dict.fromkeys((*best, *last, *measured)) if "/" in str(name)]
    if not names:
        return Markup()
    rows = [[name, _shown(best.get(name)), *_interval(measured.get(name)), _shown(last.get(name))] for name in names]
    step = best.get("step")
    heading = f"best checkpoint (step {number(step)})" if isinstance(step, int) else "best checkpoint"
    said = render("scores.html", monitor=best.get("monitor"), evaluations=_described(files.evaluations))
    return joined(table(["metric", heading, "evaluated", "95 % interval", "at the end"], rows), said)


def _measured(evaluations: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The metrics of each evaluation by the names of a run's: ``val/loss``, ``test/loss``."""
    found = []
    parts_first = sorted(evaluations.items(), key=lambda named: not named[0].startswith("part of "))
    for split, entry in parts_first:  # what scored a whole split stands in place of a part
        for metric, said in _mapping(entry.get("metrics")).items():
            found.append((f"{_stage(str(split))}/{metric}", _mapping(said)))
    return found


def _stage(split: str) -> str:
    """What a run's metrics call a split, also where a part of it was scored."""
    return split.removeprefix("part of ").replace("validation", "val", 1)


def _interval(said: Mapping[str, Any] | None) -> tuple[str, str]:
    if said is None:
        return "", ""
    low, high = said.get("low"), said.get("high")
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return number(said.get("value")), f"{number(low)} to {number(high)}" if known else ""


def _shown(value: Any) -> str:
    return "" if value is None else number(value)


def _described(evaluations: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {number(entry.get('examples'))} examples of {entry.get('source')}, {entry.get('precision')}"
        for name, entry in evaluations.items()
    ]


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
