"""The scores of a model card: a table for people, and the hub's model-index for programs."""

import math
from collections.abc import Mapping
from typing import Any

from quatrain.runs.markdown import plain

Interval = tuple[float, float]

HUB_METRICS = {"matthews": "matthews_correlation", "pearson": "pearsonr", "spearman": "spearmanr"}
"""Metrics that the hub calls otherwise."""


def scores_section(metrics: Mapping[str, float], intervals: Mapping[str, Interval]) -> str:
    """The section with a row for each score; a column of intervals where there are any."""
    if intervals:
        lines = ["| score | value | 95 % interval (bootstrap) |", "|---|---|---|"]
    else:
        lines = ["| score | value |", "|---|---|"]
    for name, value in metrics.items():
        row = f"| {plain(name)} | {value:.4g} |"
        if intervals:
            low, high = intervals.get(name, (math.nan, math.nan))
            row += f" {low:.4g} to {high:.4g} |" if name in intervals else " |"
        lines.append(row)
    held_out = "Rows of `val` chose the checkpoint, so their scores flatter it a little; those of `test` chose nothing."
    return "## Scores\n\n" + "\n".join(lines) + f"\n\n{held_out}\n"


def model_index(name: str, task: str, data: str, data_id: str, metrics: Mapping[str, float]) -> dict[str, Any]:
    """``model-index`` of the head, as the hub documents it, with the scores that are numbers; nothing without any."""
    by_split: dict[str, list[dict[str, Any]]] = {}
    for title, value in metrics.items():
        split, _, metric = title.rpartition("/")
        if split and math.isfinite(value):
            entry = {"type": HUB_METRICS.get(metric, metric), "name": title, "value": value}
            by_split.setdefault(split, []).append(entry)
    results = [
        {
            "task": {"type": task},
            "dataset": {"name": data, "type": data_id or "own", "split": split.replace("val", "validation", 1)},
            "metrics": scores,
        }
        for split, scores in by_split.items()
    ]
    return {"model-index": [{"name": name, "results": results}]} if results else {}
