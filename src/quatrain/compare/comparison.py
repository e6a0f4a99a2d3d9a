"""The comparison itself: groups sorted best first, each with its statistics and its test against the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quatrain.compare.aim import Aim
from quatrain.compare.grouping import Members, group
from quatrain.compare.importance import Importance, importance
from quatrain.compare.knobs import MISSING, Knob, knobs_of, short_names, shown_values
from quatrain.compare.results import Result, canonical
from quatrain.compare.statistics import (
    Improvement,
    Paired,
    Summary,
    holm,
    paired_test,
    probability_of_improvement,
    summarize,
)
from quatrain.core.errors import UserError


@dataclass(frozen=True)
class Measured:
    """A group, and the values of its runs by seed."""

    members: Members
    by_seed: Mapping[int, float]

    @property
    def summary(self) -> Summary:
        """The mean over seeds, and its error."""
        return summarize(list(self.by_seed.values()))


@dataclass(frozen=True)
class Row:
    """One group. ``shown`` are the values of the comparison's columns; ``settings`` those of all that differs.

    ``paired`` is its test against the best, ``p_holm`` the corrected p value, ``best_wins`` the probability that a run
    of the best is better than one of this group; None for the best itself.
    """

    settings: Mapping[str, Any]
    shown: tuple[str, ...]
    runs: tuple[Result, ...]
    values: tuple[float, ...]
    summary: Summary
    paired: Paired | None = None
    p_holm: float | None = None
    best_wins: Improvement | None = None

    @property
    def by_seed(self) -> dict[int, float]:
        """Its values by the seeds of its runs."""
        return {run.seed: value for run, value in zip(self.runs, self.values, strict=True)}

    @property
    def seconds(self) -> float | None:
        """How long its runs trained on average; None where none says it."""
        told = [run.scalars["seconds"] for run in self.runs if "seconds" in run.scalars]
        return math.fsum(told) / len(told) if told else None


@dataclass(frozen=True)
class Comparison:
    """All that is said. ``columns`` are the keys of ``Row.shown`` and ``headings`` their short names."""

    aim: Aim
    columns: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    knobs: tuple[Knob, ...]
    decided_by_name: tuple[str, ...]
    importance: Importance | None
    replaced: tuple[Result, ...]
    without_value: tuple[Result, ...]

    def label(self, row: Row) -> str:
        """What sets a group apart, on one line; its experiment's name where there is one group alone."""
        said = [f"{heading}={value}" for heading, value in zip(self.headings, row.shown, strict=True)]
        return ", ".join(said) or row.runs[0].name


def compare(results: Sequence[Result], aim: Aim, *, by_folder: bool = False) -> Comparison:
    """Compare ``results`` by ``aim``; those that have no value of it are left out. Their order does not matter.

    Raises:
        UserError: none has a value.
    """
    found = {id(result): result.value(aim.metric, aim.mode, last=aim.last) for result in results}
    valued = [result for result in results if found[id(result)] is not None]
    if not valued:
        raise UserError(f"--metric {aim.metric}: no run has a finite value of it; compare by another.")
    groups, replaced = group(valued, by_folder=by_folder)
    measured = [
        Measured(members, {seed: float(found[id(run)] or 0.0) for seed, run in members.by_seed.items()})
        for members in groups
    ]
    sign = 1 if aim.smaller_is_better else -1
    measured.sort(key=lambda one: (sign * one.summary.mean, canonical(one.members.settings)))
    knobs, decided = knobs_of([one.members.settings for one in measured])
    columns = tuple(key for knob in knobs for key in knob.columns)
    names = short_names([key for knob in knobs for key in knob.keys])
    return Comparison(
        aim,
        columns,
        tuple(names[key] for key in columns),
        tuple(_tested(_rows(measured, knobs, columns), aim)),
        tuple(knobs),
        tuple(decided),
        importance(knobs, [list(one.by_seed.values()) for one in measured]),
        tuple(replaced),
        tuple(result for result in results if found[id(result)] is None),
    )


def _rows(measured: Sequence[Measured], knobs: Sequence[Knob], columns: Sequence[str]) -> list[Row]:
    settings = [one.members.settings for one in measured]
    keys = [key for knob in knobs for key in knob.keys]
    shown = {key: _shown(key, settings) for key in columns}
    return [
        Row(
            {key: settings[place][key] for key in keys if key in settings[place]},
            tuple(shown[key][place] for key in columns),
            tuple(one.members.by_seed.values()),
            tuple(one.by_seed.values()),
            one.summary,
        )
        for place, one in enumerate(measured)
    ]


def _shown(key: str, settings: Sequence[Mapping[str, Any]]) -> list[str]:
    texts = iter(shown_values(key, [one[key] for one in settings if key in one]))
    return [next(texts) if key in one else MISSING for one in settings]


def _tested(rows: Sequence[Row], aim: Aim) -> list[Row]:
    """Each of one or more rows with its test against the first."""
    best, *others = rows
    paired = [paired_test(row.by_seed, best.by_seed) for row in others]
    tested = zip(others, paired, holm([test.p for test in paired]), strict=True)
    return [best, *(replace(row, paired=test, p_holm=p, best_wins=_wins(best, row, aim)) for row, test, p in tested)]


def _wins(best: Row, row: Row, aim: Aim) -> Improvement | None:
    return probability_of_improvement(best.values, row.values, smaller_is_better=aim.smaller_is_better)
