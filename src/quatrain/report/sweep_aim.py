"""By what the runs of a report are compared, and the one value of a run for each of its metrics."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from quatrain.compare.aim import MODES, Aim, choose_aim
from quatrain.compare.results import Mode, Result
from quatrain.core.errors import UserError
from quatrain.report.sweep_runs import SweptRun

FALLBACKS = ("val/loss", "train/loss")
"""What runs are compared by that chose their best checkpoint by different metrics, or by none."""


class Chosen(NamedTuple):
    """The aim, None where there is none, and a sentence on why it is not the usual one."""

    aim: Aim | None
    told: str | None


def chosen_aim(results: Sequence[Result]) -> Chosen:
    """What all of ``results`` watch; else the loss that all have, else nothing."""
    if not results:
        return Chosen(None, "No run has a result yet, so there is nothing to compare.")
    try:
        return Chosen(choose_aim(results, None, None), None)
    except UserError:
        common = set.intersection(*(set(result.metrics()) for result in results))
    for metric in FALLBACKS:
        if metric in common:
            told = f"These runs did not all choose their best checkpoint by one metric; they are compared by {metric}."
            return Chosen(Aim(metric, "min"), told)
    return Chosen(
        None, "These runs chose their best checkpoints by different metrics and share no loss: they are not compared."
    )


def mode_of(metric: str, aim: Aim | None) -> Mode | None:
    """Which values of ``metric`` are good; None where nothing tells."""
    return aim.mode if aim and aim.metric == metric else MODES.get(metric.rpartition("/")[2])


def value_of(run: SweptRun, metric: str, mode: Mode | None) -> float | None:
    """The best finite value of ``metric`` in a run, the last where ``mode`` is None; of one measured once, that."""
    if metric not in run.curves:
        once = run.scalars.get(metric)
        return once if once is not None and math.isfinite(once) else None
    finite = [float(value) for value in run.curves[metric][1] if math.isfinite(value)]
    if not finite:
        return None
    return finite[-1] if mode is None else min(finite) if mode == "min" else max(finite)
