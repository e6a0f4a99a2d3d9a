"""The table of all runs of a sweep: what was overridden in each, how it ended and what it came to."""

from collections.abc import Sequence

from markupsafe import Markup

from quatrain.compare.aim import Aim
from quatrain.report.rendering import render
from quatrain.report.sweep_aim import value_of
from quatrain.report.sweep_columns import Column, linked, measured, overridden, speed, state
from quatrain.report.sweep_runs import STATUSES, SweptRun, SweptRuns

TRIAL = "sweep.trial"
PLACES = ("sweep.", "run.")
"""What keys begin with that say where and how jobs run, and nothing of a setting."""

MOST_KEYS = 12
MOST_METRICS = 8


def runs_table(runs: SweptRuns, aim: Aim | None) -> Markup:
    """The table, the best run first where there is an ``aim``, with what all runs share and what has no column."""
    ordered = best_first(runs.runs, aim)
    keys, shared = swept_keys(ordered)
    metrics = metric_names(ordered, aim)
    columns = [
        Column("run", "run directory", "text", [linked(run) for run in ordered]),
        Column("status", "status", "choice", [state(run) for run in ordered]),
        *overridden(ordered, keys[:MOST_KEYS]),
        *(measured(ordered, name, aim) for name in metrics[:MOST_METRICS]),
        speed(ordered, "seconds", "seconds"),
        speed(ordered, "tokens/s", "tokens_per_second"),
    ]
    return render(
        "sweep_table.html",
        columns=columns,
        rows=list(zip(*(column.cells for column in columns), strict=True)),
        **_order(columns, aim),
        shared=" ".join(shared),
        without=[*keys[MOST_KEYS:], *metrics[MOST_METRICS:]],
    )


def _order(columns: Sequence[Column], aim: Aim | None) -> dict[str, int | str | None]:
    """The column by which the runs stand sorted; none where those that were cut short break the order."""
    place = next((place for place, one in enumerate(columns) if aim and one.title == aim.metric), None)
    smaller = aim is None or aim.smaller_is_better
    if place is not None:
        values = [cell.number for cell in columns[place].cells]
        known = [value for value in values if value is not None]
        if known != sorted(known, reverse=not smaller) or None in values[: len(known)]:
            place = None
    return {"sorted_by": place, "direction": "ascending" if smaller else "descending"}


def best_first(runs: Sequence[SweptRun], aim: Aim | None) -> list[SweptRun]:
    """Runs that are done by their value, the others behind them by how they ended."""

    def rank(run: SweptRun) -> tuple[int, bool, float, str]:
        value = value_of(run, aim.metric, aim.mode) if aim else None
        sign = 1 if aim is None or aim.smaller_is_better else -1
        return STATUSES.index(run.status), value is None, sign * (value or 0.0), run.name

    return sorted(runs, key=rank)


def swept_keys(runs: Sequence[SweptRun]) -> tuple[list[str], list[str]]:
    """The overridden keys in which runs differ, those of most values first, and the overrides that all share.

    Where results were copied alone nothing tells what was overridden; the values of their configs stand for it.
    """
    given = [run.overrides for run in runs]
    every = dict.fromkeys(key for one in given for key in one)
    if not every:
        leaves = [run.result.leaves for run in runs if run.result]
        every = dict.fromkeys(key for one in leaves for key in one)
        return [key for key in every if len({repr(one.get(key)) for one in leaves}) > 1], []
    shared = [key for key in every if all(key in one for one in given) and len({one[key] for one in given}) == 1]
    if len(runs) == 1:
        return list(every), []
    apart = [key for key in every if key not in shared and (key == TRIAL or not key.startswith(PLACES))]
    apart.sort(key=lambda key: (key != TRIAL, -sum(key in one for one in given)))
    return apart, [f"{key}={given[0][key]}" for key in shared if not key.startswith(PLACES)]


def metric_names(runs: Sequence[SweptRun], aim: Aim | None) -> list[str]:
    """What a run is told by: the aim, validation, test, and the training loss."""
    curves = dict.fromkeys(name for run in runs for name in run.curves)
    scalars = dict.fromkeys(name for run in runs for name in run.scalars if name.startswith("test"))
    first = [aim.metric] if aim else []
    return list(dict.fromkeys([*first, *sorted(curves, key=lambda name: name == "train/loss"), *scalars]))
