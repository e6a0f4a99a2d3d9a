"""The history of a search: the value of each trial, the best so far, and the scores on the way."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from quatrain.compare.trials import Study, Trial
from quatrain.report.figures import COLOURS, faded, figure, plain
from quatrain.report.rendering import joined, render

MOST_CURVES = 100
MOST_POINTS = 100
MOST_NUMBERS = 200
MOST_TOLD = 5
LONGEST = 120
GREY = "rgba(128,128,128,0.6)"
NONE_OVER = "No trial is complete or was pruned after a score, so there is no history to draw."


def search_history(study: Study) -> Markup:
    """The figures of ``study``, and how its trials ended; sentences where none has a value."""
    return joined(
        render("note.html", text=_counts(study)),
        _values(study),
        _on_the_way(study),
        render("notes.html", sentences=list(_refusals(study.trials))),
    )


def best_so_far(study: Study) -> list[tuple[int, float]]:
    """The numbers of the trials that were better than all before, each with its value."""
    found: list[tuple[int, float]] = []
    for one in study.trials:
        if one.value is not None and (not found or _better(study, one.value, found[-1][1])):
            found.append((one.number, one.value))
    return found


def last_score(trial: Trial) -> float | None:
    """The last finite score of a trial that is not complete; None where it has none."""
    return next((value for value in reversed(list(trial.steps.values())) if math.isfinite(value)), None)


def _better(study: Study, one: float, other: float) -> bool:
    return one < other if study.smaller_is_better else one > other


def _counts(study: Study) -> str:
    counts = Counter(one.state for one in study.trials)
    shared = sum(one.same_as is not None for one in study.trials)
    said = f"{len(study.trials):,} trials: " + ", ".join(f"{count:,} {state}" for state, count in counts.items()) + "."
    return said + (f" {shared:,} of them share the result of an equal one." if shared else "")


def _values(study: Study) -> Markup:
    complete = [one for one in study.trials if one.value is not None and math.isfinite(one.value)]
    pruned = [(one, score) for one in study.trials if one.state == "pruned" and (score := last_score(one)) is not None]
    if not complete and not pruned:
        return render("note.html", text=NONE_OVER)
    best = best_so_far(study)
    last = max(one.number for one in study.trials)
    steps = [*best, (last, best[-1][1])] if best else []
    traces = [
        _points("complete", complete, [one.value for one in complete], 0, "circle"),
        _points("pruned, its last score", [one for one, _ in pruned], [score for _, score in pruned], 1, "x"),
        {
            "type": "scatter",
            "mode": "lines",
            "name": "best so far",
            "x": [number for number, _ in steps],
            "y": [value for _, value in steps],
            "line": {"color": COLOURS[2], "width": 2, "shape": "hv"},
            "hovertemplate": "best so far %{y:.5g}<extra></extra>",
        },
    ]
    name = study.monitor or "value"
    positive = all(value > 0 for trace in traces for value in trace["y"])
    return figure(
        [trace for trace in traces if trace["x"]],
        {"xaxis": {"title": {"text": "trial"}}, "yaxis": {"title": {"text": plain(name)}}, "margin": _MARGIN},
        label=f"{name} by trial, {len(complete)} complete and {len(pruned)} pruned"
        + (f"; the best is trial {best[-1][0]} with {best[-1][1]:.5g}." if best else "."),
        height=360,
        log=positive,
        numbers=(["trial", "state", "value", "parameters", "folder"], [*_lines(study)][:MOST_NUMBERS]),
    )


_MARGIN = {"l": 56, "r": 12, "t": 12, "b": 44}


def _points(
    name: str, trials: Sequence[Trial], values: Sequence[float | None], place: int, symbol: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [one.number for one in trials],
        "y": list(values),
        "text": [_parameters(one) for one in trials],
        "marker": {"color": COLOURS[place], "symbol": symbol, "size": 8},
        "hovertemplate": "trial %{x}: %{y:.5g}<br>%{text}<extra></extra>",
    }


def _on_the_way(study: Study) -> Markup:
    """A line for each trial with scores on the way; the best on top, and nothing where there are none."""
    scored = [one for one in study.trials if one.steps]
    if not scored:
        return render("note.html", text="No trial noted scores on its way.")
    best = best_so_far(study)[-1][0] if best_so_far(study) else None
    drawn = _drawn(study, scored)
    traces = [_curve(one) for one in drawn if one.number != best]
    traces += [_curve(one, best=True) for one in drawn if one.number == best]
    seen: set[str] = set()
    for trace in traces:
        trace["showlegend"] = trace["legendgroup"] not in seen
        seen.add(trace["legendgroup"])
    hidden = len(scored) - len(drawn)
    told = f"{hidden:,} more trials have no line here: the newest {MOST_CURVES:,} and the best are drawn."
    return joined(
        figure(
            traces,
            {
                "xaxis": {"title": {"text": "step"}},
                "yaxis": {"title": {"text": plain(study.monitor or "value")}},
                "margin": _MARGIN,
            },
            label=f"Scores of {len(drawn)} trials by step; those that were pruned are dashed and end early.",
            height=360,
            log=all(value > 0 for trace in traces for value in trace["y"]),
        ),
        render("note.html", text=told) if hidden else Markup(),
    )


def _drawn(study: Study, scored: Sequence[Trial]) -> list[Trial]:
    best = {number for number, _ in best_so_far(study)[-1:]}
    older = [one for one in scored[:-MOST_CURVES] if one.number in best]
    return [*older, *scored[-MOST_CURVES:]]


def _curve(trial: Trial, *, best: bool = False) -> dict[str, Any]:
    pruned = trial.state == "pruned"
    kind = "best" if best else "pruned" if pruned else "complete" if trial.state == "complete" else "not complete"
    styles = {
        "best": {"color": COLOURS[2], "width": 3},
        "pruned": {"color": COLOURS[1], "width": 1.5, "dash": "dot"},
        "complete": {"color": faded(COLOURS[0], 0.6), "width": 1.5},
        "not complete": {"color": GREY, "width": 1.5, "dash": "dash"},
    }
    finite = [(step, score) for step, score in trial.steps.items() if math.isfinite(score)]
    points = finite[:: max(1, math.ceil(len(finite) / MOST_POINTS))]
    if finite and points[-1] != finite[-1]:
        points.append(finite[-1])
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": kind,
        "legendgroup": kind,
        "x": [step for step, _ in points],
        "y": [score for _, score in points],
        "line": styles[kind],
        "marker": {"size": 5, "symbol": "x" if pruned else "circle"},
        "hovertemplate": f"trial {trial.number}, step %{{x}}: %{{y:.5g}}<br>{_parameters(trial)}<extra></extra>",
    }


def _lines(study: Study) -> Iterator[list[Any]]:
    for one in study.trials:
        value = one.value if one.value is not None else last_score(one)
        shown = None if value is None else float(f"{value:.6g}")
        yield [one.number, one.state, shown, _words(one), one.folder or ""]


def _refusals(trials: Sequence[Trial]) -> Iterator[str]:
    """Why trials without a folder of their own did not run: nothing else in the page tells of them."""
    told = Counter(one.why for one in trials if one.why and (one.state == "refused" or not one.folder))
    for why, count in told.most_common(MOST_TOLD):
        yield f"{count:,} of the trials did not run: {why}"
    if (more := len(told) - MOST_TOLD) > 0:
        yield f"And {more:,} more reasons."


def _parameters(trial: Trial) -> str:
    return plain(_words(trial), LONGEST)


def _words(trial: Trial) -> str:
    return ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in trial.params.items()
    )
