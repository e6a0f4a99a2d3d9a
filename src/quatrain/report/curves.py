"""The curves of a run over its steps: losses, scores, learning rate and gradients, speed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from quatrain.report.figures import COLOURS, DASHES, MARKERS, figure, plain
from quatrain.report.numbers import number
from quatrain.report.rendering import side_by_side
from quatrain.report.run_files import RunFiles
from quatrain.runs.summary import thinned

MOST_POINTS = 1000
"""Points of a curve that are drawn; a screen has not many more."""

MOST_ROWS = 50
"""Rows of the table of numbers below a figure; metrics.csv has all."""

ROUGH = 200
"""Points from which a training curve has a smoothed one beside it."""

SHARES = ("accuracy", "f1", "matthews", "pearson", "spearman")
BOUNDS = {
    "val/perplexity": ("unigram_perplexity", "unigram perplexity of the same text"),
    "val/bits_per_character": ("grammar_bits_per_character", "the grammar's own bound"),
    "val/accuracy": ("majority_share/validation", "share of the largest class"),
}
"""What a score is to be compared with: its name in the data's summary, and in words."""

Points = tuple[list[int | float], list[int | float]]


class Curve(NamedTuple):
    """One line of a figure; ``place`` is that of its colour, dash and marker."""

    name: str
    points: Points
    place: int
    faint: bool = False
    marked: bool = False


def loss_curves(files: RunFiles) -> Markup:
    """The training loss, smoothed where it is rough, and every validation loss, in one figure."""
    train = points_of(files.rows, "train/loss")
    curves = []
    if len(train[0]) >= ROUGH:
        curves.append(Curve("train/loss", train, 0, faint=True))
        curves.append(Curve("train/loss, smoothed", (train[0], smoothed(train[1])), 0))
    elif train[0]:
        curves.append(Curve("train/loss", train, 0))
    names = [name for name in columns(files.rows) if name.startswith("val") and name.endswith("/loss")]
    curves += [Curve(name, points_of(files.rows, name), place, marked=True) for place, name in enumerate(names, 1)]
    return _figure(files, curves, "loss in nats" if _is_language(files) else "loss")


def score_curves(files: RunFiles) -> Markup:
    """A figure for each kind of validation score; shares, which lie between 0 and 1, stand in one."""
    names = [name for name in columns(files.rows) if name.startswith("val") and not name.endswith("/loss")]
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind = name.rpartition("/")[2]
        kinds.setdefault("score" if kind in SHARES else kind, []).append(name)
    figures = []
    for kind, members in kinds.items():
        curves = [Curve(name, points_of(files.rows, name), place, marked=True) for place, name in enumerate(members, 1)]
        bounds = [_bound(name, files) for name in members]
        title = kind if len(members) > 1 else members[0].rpartition("/")[2]
        figures.append(_figure(files, curves, title.replace("_", " "), [bound for bound in bounds if bound]))
    return side_by_side(figures)


def pace_curves(files: RunFiles) -> Markup:
    """Learning rate, gradient norm, tokens a second and the share of the device's peak, a figure each."""
    wanted = (
        ("train/lr", "learning rate"),
        ("train/grad_norm", "gradient norm"),
        ("train/tokens_per_second", "tokens per second"),
        ("train/mfu", "share of the peak (MFU)"),
        ("train/data_wait", "share of time waiting for data"),
    )
    figures = []
    for start, title in wanted:
        names = [name for name in columns(files.rows) if name == start or name.startswith(f"{start}/")]
        curves = [Curve(name, points_of(files.rows, name), place) for place, name in enumerate(names)]
        figures.append(_figure(files, curves, title))
    return side_by_side(figures)


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that any row fills, in the order in which they first come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def points_of(rows: Sequence[Mapping[str, int | float]], name: str) -> Points:
    """The steps at which ``name`` was measured, and its values."""
    found = [(row["step"], row[name]) for row in rows if name in row]
    return [step for step, _ in found], [value for _, value in found]


def smoothed(values: Sequence[int | float]) -> list[int | float]:
    """The exponential moving average over about a hundredth of ``values``, without a bias at its beginning."""
    keep = 1 - 1 / max(2, len(values) / 100)
    average, weight, found = 0.0, 0.0, []
    for value in values:
        average, weight = keep * average + (1 - keep) * value, keep * weight + (1 - keep)
        found.append(average / weight)
    return found


def _figure(
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


def _bound(name: str, files: RunFiles) -> tuple[str, float] | None:
    data = files.provenance.get("data")
    key, words = BOUNDS.get(name, ("", ""))
    value = data.get(key) if isinstance(data, dict) else None
    return (words, float(value)) if isinstance(value, int | float) else None


def _is_language(files: RunFiles) -> bool:
    return any(name.endswith("/perplexity") for name in columns(files.rows))


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
