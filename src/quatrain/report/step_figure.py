"""One figure over the optimizer steps, of curves that are thinned to what a screen shows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from quatrain.report.figures import COLOURS, DASHES, MARKERS, figure, plain
from quatrain.report.numbers import number
from quatrain.report.run_files import RunFiles
from quatrain.runs.summary import thinned

MOST_POINTS = 1000
"""Points of a curve that are drawn; a screen has not many more."""

MOST_ROWS = 50
"""Rows of the table of numbers below a figure; metrics.csv has all."""

Points = tuple[list[int | float], list[int | float]]


class Curve(NamedTuple):
    """One line of a figure; ``place`` is that of its colour, dash and marker."""

    name: str
    points: Points
    place: int
    faint: bool = False
    marked: bool = False


def step_figure(
    files: RunFiles,
    curves: Sequence[Curve],
    title: str,
    bounds: Sequence[tuple[str, float]] = (),
) -> Markup:
    """A figure over the steps; nothing where no curve has a point."""
    curves = [curve for curve in curves if curve.points[0]]
    if not curves:
        return Markup()
    data = [_trace(curve) for curve in curves]
    first, last = files.rows[0]["step"], files.rows[-1]["step"]
    for place, (words, value) in enumerate(bounds):
        data.append(_level(words, value, first, last, len(curves) + 1 + place))
    layout = {"xaxis": {"title": {"text": "step"}}, "yaxis": {"title": {"text": plain(title)}}, "shapes": _best(files)}
    return figure(data, layout, label=_label(curves, title), log=True, numbers=_numbers(curves))


def _trace(curve: Curve) -> dict[str, Any]:
    steps, values = curve.points
    kept = thinned(values, MOST_POINTS)
    colour = COLOURS[curve.place % len(COLOURS)]
    marked = curve.marked and len(kept) <= 60
    dash = "solid" if curve.faint else DASHES[curve.place % len(DASHES)]
    return {
        "type": "scatter",
        "mode": "lines+markers" if marked or len(kept) == 1 else "lines",
        "name": plain(curve.name),
        "x": [steps[place] for place in kept],
        "y": [values[place] for place in kept],
        "opacity": 0.35 if curve.faint else 1.0,
        "line": {"color": colour, "width": 1 if curve.faint else 2, "dash": dash},
        "marker": {"color": colour, "symbol": MARKERS[curve.place % len(MARKERS)], "size": 7},
        "hovertemplate": "step %{x:,}<br>%{y:.5g}",
    }


def _level(words: str, value: float, first: float, last: float, place: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{words} ({number(value)})",
        "x": [first, last],
        "y": [value, value],
        "line": {"color": COLOURS[place % len(COLOURS)], "width": 1.5, "dash": "dot"},
        "hovertemplate": "%{y:.5g}",
    }


def _best(files: RunFiles) -> list[dict[str, Any]]:
    """A line at the step of the best checkpoint."""
    best = files.result.get("best")
    step = best.get("step") if isinstance(best, dict) else None
    if not isinstance(step, int):
        return []
    line = {"color": "#8A929B", "width": 1, "dash": "dot"}
    words = {
        "text": "best",
        "textposition": "end",
        "textangle": 0,
        "xanchor": "right",
        "yanchor": "top",
        "font": {"size": 10, "color": "#8A929B"},
    }
    return [{"type": "line", "x0": step, "x1": step, "yref": "paper", "y0": 0, "y1": 1, "line": line, "label": words}]


def _label(curves: Sequence[Curve], title: str) -> str:
    parts = []
    for curve in curves:
        if not curve.faint:
            (first, *_), (start, *_) = curve.points
            last, end = curve.points[0][-1], curve.points[1][-1]
            parts.append(f"{curve.name} from {number(start)} at step {first:,} to {number(end)} at step {last:,}")
    return f"Line chart of {title} over optimizer steps: {'; '.join(parts)}."


def _numbers(curves: Sequence[Curve]) -> tuple[list[str], list[list[Any]]]:
    """At most `MOST_ROWS` steps with the value of each curve."""
    known = [curve for curve in curves if not curve.faint]
    tables = [dict(zip(*curve.points, strict=True)) for curve in known]
    steps = sorted({step for table in tables for step in table})
    sparse = [step for table in tables if len(table) <= MOST_ROWS for step in table]
    wanted = sorted({*(steps[place] for place in _spread(len(steps))), *sparse})
    rows = [[step, *(number(table[step]) if step in table else "" for table in tables)] for step in wanted]
    return ["step", *(curve.name for curve in known)], rows


def _spread(count: int) -> list[int]:
    if count <= MOST_ROWS:
        return list(range(count))
    return sorted({round(place * (count - 1) / (MOST_ROWS - 1)) for place in range(MOST_ROWS)})
