"""The table of all runs of a sweep: what was overridden in each, how it ended and what it came to."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from quatrain.compare.aim import Aim
from quatrain.compare.digits import decimals_for, fixed
from quatrain.compare.knobs import MISSING, short_names, shown_values
from quatrain.core.terminal import one_line
from quatrain.report.rendering import render
from quatrain.report.sweep_aim import mode_of, value_of
from quatrain.report.sweep_runs import STATUSES, SweptRun, SweptRuns

TRIAL = "sweep.trial"
MOST_KEYS = 12
MOST_METRICS = 8
MOST_CHOICES = 12
LONGEST_NUMBER = 30
LONGEST_VALUE = 200
"""Characters of an override's value in a cell."""

_WHOLE = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Cell:
    """What a cell shows, the number that it is sorted by (None: its text, or last where that is a dash), its link."""

    text: str
    number: int | float | None = None
    link: str | None = None


@dataclass(frozen=True)
class Column:
    """A column: a short heading, what it is in full, and a cell for each run. A choice is filtered by its values."""

    heading: str
    title: str
    kind: Literal["text", "number", "choice"]
    cells: Sequence[Cell]


def runs_table(runs: SweptRuns, aim: Aim | None) -> Markup:
    """The table, the best run first where there is an ``aim``, with what all runs share and what has no column."""
    ordered = best_first(runs.runs, aim)
    keys, shared = swept_keys(ordered)
    metrics = metric_names(ordered, aim)
    columns = [
        Column("run", "run directory", "text", [_linked(run) for run in ordered]),
        Column("status", "status", "choice", [_status(run) for run in ordered]),
        *_overridden(ordered, keys[:MOST_KEYS]),
        *(_measured(ordered, name, aim) for name in metrics[:MOST_METRICS]),
        _speed(ordered, "seconds", "seconds"),
        _speed(ordered, "tokens/s", "tokens_per_second"),
    ]
    sorted_by = next((place for place, one in enumerate(columns) if aim and one.title == aim.metric), None)
    return render(
        "sweep_table.html",
        columns=columns,
        rows=list(zip(*(column.cells for column in columns), strict=True)),
        sorted_by=sorted_by,
        direction="ascending" if aim is None or aim.smaller_is_better else "descending",
        shared=" ".join(shared),
        without=[*keys[MOST_KEYS:], *metrics[MOST_METRICS:]],
    )


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
    apart = [key for key in every if key not in shared and (key == TRIAL or not key.startswith("sweep."))]
    apart.sort(key=lambda key: (key != TRIAL, -sum(key in one for one in given)))
    return apart, [f"{key}={given[0][key]}" for key in shared]


def metric_names(runs: Sequence[SweptRun], aim: Aim | None) -> list[str]:
    """What a run is told by: the aim, validation, test, and the training loss."""
    curves = dict.fromkeys(name for run in runs for name in run.curves)
    scalars = dict.fromkeys(name for run in runs for name in run.scalars if name.startswith("test"))
    first = [aim.metric] if aim else []
    return list(dict.fromkeys([*first, *sorted(curves, key=lambda name: name == "train/loss"), *scalars]))


def _linked(run: SweptRun) -> Cell:
    return Cell(run.name, link=run.report or run.folder)


def _status(run: SweptRun) -> Cell:
    return Cell(run.status)


def _overridden(runs: Sequence[SweptRun], keys: Sequence[str]) -> list[Column]:
    names = short_names(keys)
    return [_texts(names[key], key, [_overriding(run, key) for run in runs]) for key in keys]


def _overriding(run: SweptRun, key: str) -> str | None:
    """The value of ``key`` as the command line had it, else as the config has it."""
    value = run.overrides.get(key)
    if value is None and run.result and key in run.result.leaves:
        value = str(run.result.leaves[key])
    return None if value is None else one_line(value)


def _texts(heading: str, title: str, values: Sequence[str | None]) -> Column:
    numbers = [None if value is None else _number(value) for value in values]
    numeric = any(number is not None for number in numbers) and numbers.count(None) == list(values).count(None)
    texts = iter(shown_values(title, [number for number in numbers if number is not None]) if numeric else [])
    cells = [
        Cell(MISSING) if value is None else Cell(next(texts), number) if numeric else Cell(_shortened(value))
        for value, number in zip(values, numbers, strict=True)
    ]
    different = len({cell.text for cell in cells})
    few = 1 < different <= MOST_CHOICES and (not numeric or 2 * different <= len(cells))
    return Column(heading, title, "choice" if few else "number" if numeric else "text", cells)


def _measured(runs: Sequence[SweptRun], metric: str, aim: Aim | None) -> Column:
    mode = mode_of(metric, aim) if metric != "train/loss" or (aim and aim.metric == metric) else None
    what = f"{metric}, the {'last' if mode is None else 'best'} value of each run"
    return _numbers(
        metric, what if aim is None or metric != aim.metric else metric, runs, lambda run: value_of(run, metric, mode)
    )


def _speed(runs: Sequence[SweptRun], heading: str, name: str) -> Column:
    return _numbers(heading, heading, runs, lambda run: run.scalars.get(name))


def _numbers(heading: str, title: str, runs: Sequence[SweptRun], value: Callable[[SweptRun], float | None]) -> Column:
    values = [value(run) for run in runs]
    decimals = decimals_for([one for one in values if one is not None], [])
    return Column(heading, title, "number", [Cell(fixed(one, decimals), one) for one in values])


def _number(text: str) -> int | float | None:
    """The number that ``text`` is: a whole one, or one that is finite."""
    if len(text) > LONGEST_NUMBER:
        return None
    try:
        number = float(text)
        return int(text) if _WHOLE.fullmatch(text) else number if math.isfinite(number) else None
    except ValueError:
        return None


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
