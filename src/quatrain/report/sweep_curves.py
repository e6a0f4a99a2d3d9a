"""Curves of a sweep: of each group the mean over its seeds, a band from the lowest to the highest run, and each run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from quatrain.compare.comparison import Comparison, Row
from quatrain.compare.curves import LOGARITHMIC, TRAINING, band
from quatrain.compare.results import Floats
from quatrain.report.figures import COLOURS, faded, figure, plain, styled
from quatrain.report.rendering import joined, render

BANDS = len(COLOURS)
MOST_GREY = 40
"""Groups behind the coloured ones that are drawn at all."""

MOST_RUNS = 12
"""Runs of a group that have a line of their own; the band is of all."""

MOST_POINTS = 160
GREY = "rgba(128,128,128,0.45)"
LABEL = 48


def seed_bands(comparison: Comparison) -> Markup:
    """A figure for the metric and one for the training loss; a sentence where no run has a curve of either."""
    shown = [_figure(comparison, metric) for metric in dict.fromkeys((comparison.aim.metric, TRAINING))]
    if not any(shown):
        return render("note.html", text=f"No run has a curve of {comparison.aim.metric} or {TRAINING}.")
    return joined(*shown, render("note.html", text=_legend(comparison)))


def thinned(steps: Floats, rows: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """At most ``most`` of ``steps``, evenly apart with both ends, and the columns of ``rows`` at them."""
    if len(steps) <= most:
        return steps, rows
    kept = np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))
    return steps[kept], rows[:, kept]


def _figure(comparison: Comparison, metric: str) -> Markup:
    traces, lows, highs = [], [], []
    for place, row in reversed(list(enumerate(comparison.rows[: BANDS + MOST_GREY]))):  # the best on top
        steps, values = thinned(*band(row, metric))
        if not len(steps):
            continue
        mean = values.mean(axis=0)
        lows.append(float(mean.min()))
        highs.append(float(mean.max()))
        x = [int(step) for step in steps]
        traces += _coloured(comparison, place, row, x, values) if place < BANDS else [_grey(comparison, row, x, mean)]
    if not traces:
        return Markup()
    spread = min(lows) > 0 and max(highs) > LOGARITHMIC * min(lows)
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"title": {"text": metric}, "type": "log" if spread else "linear"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": -0.22,
            "xanchor": "left",
            "yanchor": "top",
            "traceorder": "reversed",
        },
        "margin": {"l": 56, "r": 12, "t": 12, "b": 48},
    }
    best = plain(comparison.label(comparison.rows[0]), LABEL)
    return figure(
        traces,
        layout,
        label=f"{metric} by step for {len(comparison.rows)} groups of settings; best is {best}.",
        height=400 + 20 * min(BANDS, len(comparison.rows)),
        log=not spread and min(lows) > 0,
        numbers=_numbers(comparison, metric),
    )


def _coloured(comparison: Comparison, place: int, row: Row, x: Sequence[int], values: Floats) -> list[dict[str, Any]]:
    """Band, runs and mean of one group; a click on its name in the legend hides all of it."""
    label, colour = plain(comparison.label(row), LABEL), COLOURS[place]
    group = {"legendgroup": str(place), "showlegend": False, "hoverinfo": "skip", "mode": "lines"}
    traces: list[dict[str, Any]] = []
    if len(values) > 1:
        edge = {"width": 0, "color": faded(colour, 0.13)}
        low, high = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        traces.append({"type": "scatter", "x": x, "y": low, "line": edge, **group})
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": high,
                "line": edge,
                "fill": "tonexty",
                "fillcolor": faded(colour, 0.13),
                **group,
            }
        )
        for run in values[:MOST_RUNS]:
            line = {"width": 1, "color": faded(colour, 0.45)}
            traces.append({"type": "scatter", "x": x, "y": run.tolist(), "line": line, **group})
    mean = {
        "type": "scatter",
        "x": x,
        "y": values.mean(axis=0).tolist(),
        "mode": "lines+markers" if len(x) <= 12 else "lines",
        "name": label,
        "legendgroup": str(place),
        "hovertemplate": f"{label}<br>step %{{x}}: %{{y:.5g}} (mean of {len(values)})<extra></extra>",
        **styled(place),
    }
    return [*traces, mean]


def _grey(comparison: Comparison, row: Row, x: Sequence[int], mean: Floats) -> dict[str, Any]:
    label = plain(comparison.label(row), LABEL)
    return {
        "type": "scatter",
        "x": x,
        "y": mean.tolist(),
        "mode": "lines",
        "line": {"width": 1, "color": GREY},
        "showlegend": False,
        "name": label,
        "hovertemplate": f"{label}<br>step %{{x}}: %{{y:.5g}}<extra></extra>",
    }


def _numbers(comparison: Comparison, metric: str) -> tuple[list[str], list[list[Any]]]:
    """Of each coloured group the first, the lowest, the highest and the last mean."""
    lines = []
    for row in comparison.rows[:BANDS]:
        steps, values = band(row, metric)
        if len(steps):
            mean = values.mean(axis=0)
            ends = (mean[0], mean.min(), mean.max(), mean[-1])
            lines.append([comparison.label(row), len(values), *(float(f"{value:.5g}") for value in ends)])
    return ["group", "runs", "first mean", "lowest", "highest", "last"], lines


def _legend(comparison: Comparison) -> str:
    groups = len(comparison.rows)
    several = any(len(row.runs) > 1 for row in comparison.rows)
    said = "Lines are means over seeds, bands go from the lowest to the highest run." if several else "A line a run."
    if groups > BANDS:
        said += f" The best {BANDS} of {groups:,} groups are coloured"
        hidden = groups - BANDS - MOST_GREY
        said += f", the next {MOST_GREY} grey, and {hidden:,} not drawn." if hidden > 0 else ", the others grey."
    return said
