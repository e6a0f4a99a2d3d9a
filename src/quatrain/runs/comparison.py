"""Two runs side by side: every logged number, to the bit."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OF_TIME = ("per_second", "seconds", "mfu", "data_wait")
"""Numbers whose names end so measure time, and are never the same twice."""

Values = dict[tuple[int, str], float]


@dataclass(frozen=True)
class Difference:
    """A number that differs; None is what only the other run has."""

    step: int
    metric: str
    original: float | None
    reproduced: float | None

    @property
    def absolute(self) -> float | None:
        """How far apart they are; None where one is missing."""
        if self.original is None or self.reproduced is None:
            return None
        return abs(self.original - self.reproduced)

    @property
    def relative(self) -> float | None:
        """`absolute` by the larger of the two."""
        if self.original is None or self.reproduced is None or self.absolute is None:
            return None
        larger = max(abs(self.original), abs(self.reproduced))
        return self.absolute / larger if larger else 0.0

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "step": self.step,
            "metric": self.metric,
            "original": self.original,
            "reproduced": self.reproduced,
            "absolute": self.absolute,
            "relative": self.relative,
        }

    def __str__(self) -> str:
        if self.original is None or self.reproduced is None:
            side = "reproduction" if self.original is None else "original"
            return f"step {self.step:,}, {self.metric}: only in the {side}"
        return (
            f"step {self.step:,}, {self.metric}: {self.original!r} in the original, {self.reproduced!r} now"
            f" (by {self.absolute:.3g}, relative {self.relative:.3g})"
        )


@dataclass(frozen=True)
class MetricsComparison:
    """How many values were compared up to which step, and which differ, the first step first."""

    values: int
    last_step: int
    differing: tuple[Difference, ...]

    @property
    def largest(self) -> Difference | None:
        """The largest difference by its relative size; one that is no number counts as the largest."""
        sized = [(one.relative, one) for one in self.differing if one.relative is not None]
        return max(sized, key=lambda pair: math.inf if math.isnan(pair[0]) else pair[0], default=(None, None))[1]


def compare_metrics(
    original: Iterable[Mapping[str, int | float]],
    reproduced: Iterable[Mapping[str, int | float]],
    *,
    finished: bool = True,
    until: int | None = None,
) -> MetricsComparison:
    """Compare the rows of two ``metrics.csv`` by step and metric, bit by bit; two NaN are equal.

    Args:
        original: the rows of the run that was first.
        reproduced: those of the run again.
        finished: whether the original came to its end. One that was stopped is compared up to its last step, of which
            its end may have kept a row back or added a validation.
        until: compare no later steps than this one.
    """
    first, second = _values(original), _values(reproduced)
    if until is not None:
        first, second = _no_later(first, until), _no_later(second, until)
    end = max((step for step, _ in first), default=0)
    if not finished:
        second = _no_later(second, end)
    differing = []
    compared = 0
    for place in dict.fromkeys([*first, *second]):
        step, metric = place
        here, there = first.get(place), second.get(place)
        if (here is None or there is None) and not finished and step == end and not metric.startswith("train/"):
            continue
        compared += 1
        if repr(here) != repr(there):
            differing.append(Difference(step, metric, here, there))
    return MetricsComparison(compared, end, tuple(sorted(differing, key=lambda one: one.step)))


def _values(rows: Iterable[Mapping[str, int | float]]) -> Values:
    return {(int(row["step"]), name): value for row in rows for name, value in _compared(row)}


def _compared(row: Mapping[str, int | float]) -> Iterator[tuple[str, float]]:
    yield from ((name, value) for name, value in row.items() if "/" in name and not name.endswith(OF_TIME))


def _no_later(values: Values, step: int) -> Values:
    return {place: value for place, value in values.items() if place[0] <= step}
