"""Intervals by the bootstrap (Efron, "Bootstrap methods: another look at the jackknife", 1979) over examples.

A resample draws as many examples as there are, with replacement; the interval of a metric is between the 2.5th and the
97.5th percentile of its values on the resamples. Random numbers come from the seed alone. Memory is bounded: some draws
are made at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quatrain.inference.class_tables import ClassTables

LEVEL = 0.95
DRAWS_AT_ONCE = 1 << 20

Numbers = NDArray[np.float64]
Classes = NDArray[np.int64]
Interval = tuple[float, float]
Statistics = Callable[[Numbers], Mapping[str, Numbers]]
"""From weights [resamples, examples], how often each example was drawn, to metrics [resamples]."""


@dataclass(frozen=True)
class Resampling:
    """How many resamples, and the seed of their draws."""

    resamples: int = 1000
    seed: int = 0

    def literal(self, examples: int, statistics: Statistics) -> dict[str, Interval]:
        """The interval of each metric that ``statistics`` makes of drawn examples."""
        return self._intervals(statistics(weights) for weights in self._weights(examples))

    def of_tables(
        self, predicted: Classes, labels: Classes, num_labels: int, metrics: Sequence[str]
    ) -> dict[str, Interval]:
        """The interval of metrics of classes, [examples] each.

        They know of the examples only how many lie in each cell of the table of predictions and labels, so a resample
        is a multinomial draw over its cells, whatever the number of examples.
        """
        cells, counts = np.unique(labels * num_labels + predicted, return_counts=True)
        tables = ClassTables(cells // num_labels, cells % num_labels, num_labels)
        shares, examples = counts / counts.sum(), int(counts.sum())
        rng = np.random.default_rng(self.seed)
        at_once = max(1, DRAWS_AT_ONCE // max(len(cells), num_labels))
        return self._intervals(
            tables.metrics(metrics, rng.multinomial(examples, shares, size=count).astype(np.float64))
            for count in self._parts(at_once)
        )

    def _weights(self, examples: int) -> Iterator[Numbers]:
        rng = np.random.default_rng(self.seed)
        for count in self._parts(max(1, DRAWS_AT_ONCE // examples)):
            drawn = rng.integers(0, examples, size=(count, examples))
            drawn += np.arange(count)[:, None] * examples
            counts = np.bincount(drawn.ravel(), minlength=count * examples)
            yield counts.reshape(count, examples).astype(np.float64)

    def _parts(self, at_once: int) -> Iterator[int]:
        for start in range(0, self.resamples, at_once):
            yield min(at_once, self.resamples - start)

    def _intervals(self, parts: Iterator[Mapping[str, Numbers]]) -> dict[str, Interval]:
        made = list(parts)
        return {name: interval(np.concatenate([part[name] for part in made])) for name in made[0]}


def interval(values: Numbers) -> Interval:
    """The percentiles of a metric's values on the resamples that enclose `LEVEL` of them."""
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def means(values: Numbers, weights: Numbers) -> Numbers:
    """The mean of drawn values, [resamples]."""
    return ratios(values, np.ones_like(values), weights)


def ratios(above: Numbers, below: Numbers, weights: Numbers) -> Numbers:
    """The ratio of the sums of drawn numbers, [resamples]."""
    drawn: Numbers = (weights @ above) / (weights @ below)
    return drawn


def pearson(first: Numbers, second: Numbers, weights: Numbers) -> Numbers:
    """The correlation of drawn numbers, [examples] or [resamples, examples] each; 0 where either is constant."""
    first, second = (numbers - _inner(weights, numbers)[:, None] / weights.shape[1] for numbers in (first, second))
    spread = np.sqrt(_inner(weights, first**2) * _inner(weights, second**2))
    products = _inner(weights, first * second)
    least = np.finfo(np.float64).eps * weights.shape[1] * np.abs(first).max() * np.abs(second).max()
    found = np.divide(products, spread, out=np.zeros_like(products), where=spread > least)
    return np.clip(found, -1.0, 1.0)


def _inner(weights: Numbers, numbers: Numbers) -> Numbers:
    """The weighted sum of each row."""
    summed: Numbers = np.einsum("re,e->r" if numbers.ndim == 1 else "re,re->r", weights, numbers)
    return summed


class Ranks:
    """The ranks of values among those that are drawn with them, equal ones at the mean of theirs; sorted only once."""

    def __init__(self, values: Numbers) -> None:
        _, self._groups, sizes = np.unique(values, return_inverse=True, return_counts=True)
        self._order = np.argsort(self._groups, kind="stable")
        self._starts = np.cumsum(sizes) - sizes

    def __call__(self, weights: Numbers) -> Numbers:
        """[resamples, examples], from 1 on; of what is not drawn it says nothing."""
        drawn = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        middle = np.cumsum(drawn, axis=1) - (drawn - 1) / 2
        ranks: Numbers = middle[:, self._groups]
        return ranks
