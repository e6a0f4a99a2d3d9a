"""Curves over the training: the mean of each group, and a band from its lowest to its highest run."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from quatrain.compare.comparison import Comparison, Row
from quatrain.compare.results import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAINING = "train/loss"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's, which the colour-blind tell apart; the groups beyond are grey."""

DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), "solid", (0, (5, 1.5)), (0, (1, 1.2)))
GREY = "#B5B5B5"
LOGARITHMIC = 20.0
"""A metric whose largest mean is so many times its smallest is drawn on a logarithmic scale."""

FEW_POINTS = 4
LABEL = 34
"""Letters of a line in the legend."""


def curves(comparison: Comparison) -> "Figure | str":
    """A panel for the metric and one for the training loss; a sentence where no run has a curve of either."""
    from matplotlib.figure import Figure

    aim = comparison.aim
    shown = [metric for metric in dict.fromkeys((aim.metric, TRAINING)) if _has_curve(comparison.rows, metric)]
    if not shown:
        return f"No curves: the runs say {aim.metric} once and log no {TRAINING}."
    names = _names(comparison)
    lines = [line for name in names for line in name.splitlines()]
    high = max(0.4 + 3.1 * len(shown), 0.6 + 0.18 * len(lines) + 0.07 * len(names))
    figure = Figure(figsize=(6.8 + 0.075 * max(map(len, lines)), high), layout="constrained")
    for axes, metric in zip(figure.subplots(len(shown), 1, squeeze=False)[:, 0], shown, strict=True):
        _panel(axes, comparison.rows, metric)
    figure.axes[-1].set_xlabel("step")
    _legend(figure, names)
    return figure


def _names(comparison: Comparison) -> list[str]:
    """What the legend says, of several lines where it must."""
    names = [fill(comparison.label(row), LABEL, max_lines=4) for row in comparison.rows[: len(COLOURS)]]
    others = len(comparison.rows) - len(COLOURS)
    return [*names, f"{others} more"] if others > 0 else names


def _legend(figure: "Figure", names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], linewidth=1.6, **_style(place)) for place in range(len(names))]
    figure.legend(lines, names, loc="outside right upper", frameon=False, title="best first", alignment="left")


def _style(place: int) -> dict[str, Any]:
    named = place < len(COLOURS)
    return {"color": COLOURS[place] if named else GREY, "linestyle": DASHES[place] if named else "solid"}


def _panel(axes: Any, rows: Sequence[Row], metric: str) -> None:
    lows, highs = [], []
    for place, row in reversed(list(enumerate(rows))):  # the best on top
        steps, values = band(row, metric)
        if not len(steps):
            continue
        named = place < len(COLOURS)
        mean = values.mean(axis=0)
        marks = {"marker": "o", "markersize": 4} if len(steps) < FEW_POINTS else {}
        axes.plot(steps, mean, linewidth=1.6 if named else 0.7, zorder=2 if named else 1, **_style(place), **marks)
        if named and len(values) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            axes.fill_between(steps, low, high, color=COLOURS[place], alpha=0.18, linewidth=0, zorder=1.5)
        lows.append(float(mean.min()))
        highs.append(float(mean.max()))
    if lows and min(lows) > 0 and max(highs) > LOGARITHMIC * min(lows):
        _logarithmic(axes)
    axes.set_title(f"{metric}: mean, and lowest to highest run")
    axes.margins(x=0.02)


def _logarithmic(axes: Any) -> None:
    """A logarithmic scale whose numbers are plain text, within a decade too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def band(row: Row, metric: str) -> tuple[Floats, Floats]:
    """Steps, and the value of each run at them, [runs, steps]: where all runs of ``row`` have the metric.

    Between the points that a run has its curve is straight.
    """
    known = [_finite(*run.curves[metric]) for run in row.runs if metric in run.curves]
    known = [curve for curve in known if len(curve[0])]
    if not known:
        return np.empty(0), np.empty((0, 0))
    first, last = max(steps[0] for steps, _ in known), min(steps[-1] for steps, _ in known)
    every = np.unique(np.concatenate([steps for steps, _ in known]))
    steps = every[(every >= first) & (every <= last)]
    return steps, np.array([np.interp(steps, *curve) for curve in known])


def _finite(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """A curve in the order of its steps, without what was not finite."""
    order = np.argsort(steps, kind="stable")
    order = order[np.isfinite(values[order])]
    return steps[order], values[order]


def _has_curve(rows: Sequence[Row], metric: str) -> bool:
    return any(len(band(row, metric)[0]) for row in rows)
