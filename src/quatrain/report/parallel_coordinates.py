"""Parallel coordinates: an axis for each knob and one for the metric, a line for each run."""

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from quatrain.compare.comparison import Comparison
from quatrain.compare.importance import WIDE
from quatrain.compare.knobs import MISSING, Knob, short_names, shown_values
from quatrain.report.figures import COLOURS, figure, plain
from quatrain.report.rendering import joined, render

MOST_AXES = 8
MOST_LINES = 2_000
MOST_TICKS = 24
MOST_EACH = 8
"""Different numbers of a knob that each have a tick."""

LONGEST = 16
FLAT = 4
"""Axes whose names have room beside one another."""

ALONE = "The runs with a result do not differ in any setting, the seed aside: there is nothing to lay side by side."


def parallel_coordinates(comparison: Comparison) -> Markup:
    """The figure; a sentence where nothing was swept but the seed."""
    if not comparison.knobs:
        return render("note.html", text=ALONE)
    knobs = _weightiest(comparison)
    runs = [(place, value) for place, row in enumerate(comparison.rows) for value in row.values][:MOST_LINES]
    values = [value for _, value in runs]
    names = short_names([key for knob in comparison.knobs for key in knob.keys])
    axes = [_axis(names[knob.columns[0]], _values(comparison, knob), [place for place, _ in runs]) for knob in knobs]
    metric = _numeric(comparison.aim.metric, values, each=False)
    smaller = comparison.aim.smaller_is_better
    drawn = figure(
        [
            {
                "type": "parcoords",
                "dimensions": [*axes, metric],
                "labelangle": -12 if len(axes) > FLAT else 0,
                "labelfont": {"size": 14},
                "tickfont": {"size": 12},
                "rangefont": {"color": "rgba(0,0,0,0)"},  # the ends of an axis are no values
                "line": {
                    "color": metric["values"],
                    "colorscale": [[0, COLOURS[0]], [1, COLOURS[4]]],
                    "reversescale": not smaller,
                    "showscale": False,
                },
            }
        ],
        {"margin": {"l": 84, "r": 64, "t": 70, "b": 20}},
        label=f"Parallel coordinates of {len(runs)} runs: {', '.join(axis['label'] for axis in axes)} and"
        f" {comparison.aim.metric}; blue lines are the best.",
        height=420,
    )
    return joined(render("wide.html", body=drawn), render("note.html", text=_said(comparison, knobs)))


def _weightiest(comparison: Comparison) -> list[Knob]:
    """At most `MOST_AXES` knobs, those that matter most where that is known, in their usual order."""
    if len(comparison.knobs) <= MOST_AXES:
        return list(comparison.knobs)
    shares = comparison.importance.shares if comparison.importance else ()
    order = [one.knob for one in shares] or list(comparison.knobs)
    kept = order[:MOST_AXES]
    return [knob for knob in comparison.knobs if knob in kept]


def _values(comparison: Comparison, knob: Knob) -> list[Any]:
    key = knob.columns[0]
    return [row.settings.get(key, MISSING) for row in comparison.rows]


def _axis(name: str, values: Sequence[Any], places: Sequence[int]) -> dict[str, Any]:
    """An axis for a knob's values by group, of which ``places`` are those of the runs."""
    if all(type(value) in (int, float) for value in values):
        numbers = [float(value) for value in values]
        return _numeric(name, [numbers[place] for place in places])
    texts = shown_values("", values)
    levels = list(dict.fromkeys(sorted(texts)))
    number = {text: float(level) for level, text in enumerate(levels)}
    every = max(1, math.ceil(len(levels) / MOST_TICKS))
    return {
        "label": plain(name, LONGEST),
        "values": [number[texts[place]] for place in places],
        "range": [-0.2, max(0.2, len(levels) - 0.8)],
        "tickvals": [float(level) for level in range(0, len(levels), every)],
        "ticktext": [plain(level, LONGEST) for level in levels[::every]],
    }


def _numeric(name: str, values: Sequence[float], *, each: bool = True) -> dict[str, Any]:
    """An axis of numbers: a logarithmic one where they are positive and span a decade, ``each`` value where few."""
    logarithmic = min(values) > 0 and max(values) >= WIDE * min(values)
    scaled = [math.log10(value) for value in values] if logarithmic else list(values)
    ticks = _ticks(values, logarithmic=logarithmic, each=each)
    low, high = min(scaled), max(scaled)
    room = 0.03 * (high - low) or 0.5 * (abs(low) or 1.0)
    axis: dict[str, Any] = {"label": plain(name, LONGEST), "values": scaled, "range": [low - room, high + room]}
    if ticks:
        axis["tickvals"] = [math.log10(tick) if logarithmic else tick for tick in ticks]
        axis["ticktext"] = [f"{tick:.4g}" for tick in ticks]
    return axis


def _ticks(values: Sequence[float], *, logarithmic: bool, each: bool) -> list[float]:
    """Where an axis has numbers: at each value of few, at decades of a logarithmic one, else where plotly likes."""
    different = sorted(set(values))
    if each and len(different) <= MOST_EACH:
        return different
    if not logarithmic:
        return []
    first, last = math.floor(math.log10(different[0])), math.ceil(math.log10(different[-1]))
    marks = (1,) if last - first > 3 else (1, 2, 5)
    ticks = [mark * 10.0**power for power in range(first, last + 1) for mark in marks]
    return [tick for tick in ticks if different[0] <= tick <= different[-1]]


def _said(comparison: Comparison, knobs: Sequence[Knob]) -> str:
    said = "Blue lines are the best. Drag along an axis to keep the runs within, and a name to move its axis."
    if (more := len(comparison.knobs) - len(knobs)) > 0:
        said += f" The {len(knobs)} knobs that matter most are shown of {len(knobs) + more}."
    runs = sum(len(row.runs) for row in comparison.rows)
    if runs > MOST_LINES:
        said += f" The best {MOST_LINES:,} runs of {runs:,} are drawn."
    return said
