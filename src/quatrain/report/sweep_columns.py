"""The columns of the table of runs: what a cell shows, and what it is sorted and filtered by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from quatrain.compare.aim import Aim
from quatrain.compare.digits import decimals_for, fixed
from quatrain.compare.knobs import MISSING, short_names
from quatrain.core.terminal import one_line
from quatrain.report.sweep_aim import mode_of, value_of
from quatrain.report.sweep_runs import SweptRun

MOST_CHOICES = 12
LONGEST_NUMBER = 9
LONGEST_VALUE = 200
"""Characters of an override's value in a cell."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows, the number that it is sorted by (None: its text, or last where that is a dash), and its link.

    ``status`` is set in the column of that name.
    """

    text: str
    number: float | None = None
    link: str | None = None
    status: str | None = None

    @property
    def kind(self) -> str | None:
        """The class of the cell, by which the page styles it."""
        return f"status-{self.status}" if self.status else None if self.number is None else "number"


@dataclass(frozen=True)
class Column:
    """A column: a short heading, what it is in full, and a cell for each run. A choice is filtered by its values."""

    heading: str
    title: str
    kind: Literal["text", "number", "choice"]
    cells: Sequence[Cell]


def linked(run: SweptRun) -> Cell:
    """The name of a run, which leads to its own report, or to its folder where it has none."""
    return Cell(run.name, link=run.report or run.folder)


def state(run: SweptRun) -> Cell:
    """How a run ended, or that it has not."""
    return Cell(run.status, status=run.status)


def overridden(runs: Sequence[SweptRun], keys: Sequence[str]) -> list[Column]:
    """A column for each of ``keys``."""
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
    texts = [MISSING if value is None else _shortened(value) for value in values]
    if numeric:
        texts = _six_digits(texts, numbers)
    cells = [Cell(text, number if numeric else None) for text, number in zip(texts, numbers, strict=True)]
    different = len({cell.text for cell in cells})
    few = 1 < different <= MOST_CHOICES and (not numeric or 2 * different <= len(cells))
    return Column(heading, title, "choice" if few else "number" if numeric else "text", cells)


def measured(runs: Sequence[SweptRun], metric: str, aim: Aim | None) -> Column:
    """What each run came to: its best value where it is known which are good, else its last."""
    mode = mode_of(metric, aim) if metric != "train/loss" or (aim and aim.metric == metric) else None
    what = f"{metric}, the {'last' if mode is None else 'best'} value of each run"
    return _numbers(
        metric, what if aim is None or metric != aim.metric else metric, runs, lambda run: value_of(run, metric, mode)
    )


def speed(runs: Sequence[SweptRun], heading: str, name: str) -> Column:
    """A number that a result holds beside its metrics."""
    return _numbers(heading, heading, runs, lambda run: run.scalars.get(name))


def _numbers(heading: str, title: str, runs: Sequence[SweptRun], value: Callable[[SweptRun], float | None]) -> Column:
    values = [one if one is not None and math.isfinite(one) else None for one in map(value, runs)]
    decimals = decimals_for([one for one in values if one is not None], [])
    return Column(heading, title, "number", [Cell(fixed(one, decimals), one) for one in values])


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _six_digits(texts: Sequence[str], numbers: Sequence[float | None]) -> list[str]:
    """Long numbers, as a search draws them, with six digits where that tells them apart as well."""
    short = [
        text if number is None or len(text) <= LONGEST_NUMBER else f"{number:.6g}"
        for text, number in zip(texts, numbers, strict=True)
    ]
    return short if len(set(short)) == len(set(texts)) else list(texts)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
