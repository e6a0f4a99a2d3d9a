"""Every run as a point, and a box of quartiles for each group."""

from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from quatrain.compare.comparison import Comparison, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 40
FEWEST_FOR_A_BOX = 3
LABEL = 90
BLUE, ORANGE = "#0072B2", "#D55E00"


def boxes(comparison: Comparison) -> "Figure":
    """A line for each group, the best on top; at most `MOST_ROWS`."""
    from matplotlib.figure import Figure

    rows = comparison.rows[:MOST_ROWS]
    labels = [f"{shorten(comparison.label(row), LABEL, placeholder=' …')}  ({row.summary.count})" for row in rows]
    wide = 5.5 + 0.075 * max(map(len, labels))
    figure = Figure(figsize=(wide, 1.1 + 0.28 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        _box(axes, place, row)
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.05)
    axes.grid(axis="x", linewidth=0.4, color="#DDDDDD")
    axes.set_axisbelow(True)
    axes.set_xlabel(f"{comparison.aim}\n• a run   | mean   box: quartiles, from {FEWEST_FOR_A_BOX} runs on")
    more = len(comparison.rows) - len(rows)
    if more:
        axes.set_title(f"the best {len(rows)} of {len(comparison.rows)} groups")
    return figure


def _box(axes: Any, place: int, row: Row) -> None:
    values = np.array(row.values)
    if len(values) >= FEWEST_FOR_A_BOX:
        low, high = np.quantile(values, [0.25, 0.75])
        axes.barh(place, high - low, left=low, height=0.62, color=BLUE, alpha=0.22, linewidth=0)
        axes.hlines(place, values.min(), values.max(), color=BLUE, linewidth=0.8)
    axes.plot(values, np.full(len(values), place), "o", markersize=4, color=BLUE, markeredgewidth=0, alpha=0.85)
    axes.vlines(row.summary.mean, place - 0.31, place + 0.31, color=ORANGE, linewidth=1.8)
