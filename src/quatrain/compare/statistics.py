"""Means over seeds with what is known of their error, and tests between groups. All by formulas of textbooks.

Intervals and tests take the values of one group for draws from a normal distribution; the probability of improvement
takes nothing for granted but that runs are independent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
RESAMPLES = 2_000
FEW = 5
"""Below so many runs on a side the bootstrap's interval is too narrow to be believed."""


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation (n - 1) and Student's interval of the mean; None where there are too few values."""

    count: int
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Paired:
    """Student's test of the differences between two groups on ``count`` equal seeds.

    ``difference`` is their mean and ``interval`` its own; ``p`` is two-sided. What cannot be said is None, and ``why``
    says so.
    """

    count: int
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    why: str | None = None


@dataclass(frozen=True)
class Improvement:
    """The probability that a run of one group is better than one of another, and its interval."""

    probability: float
    interval: tuple[float, float]


def summarize(values: Sequence[float]) -> Summary:
    """Summarize at least one value."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Summary(len(values), mean, None, None)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = t_quantile(len(values) - 1) * deviation / math.sqrt(len(values))
    return Summary(len(values), mean, deviation, (mean - half, mean + half))


def t_quantile(degrees: int, error: float = 1 - LEVEL) -> float:
    """What Student's t exceeds on either side with probability ``error`` in all."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 1 - error / 2))


def paired_test(one: Mapping[int, float], other: Mapping[int, float]) -> Paired:
    """Test whether ``one`` differs from ``other``, values by seed, on the seeds that both have."""
    from scipy.special import stdtr

    seeds = sorted(set(one) & set(other))
    if not seeds:
        return Paired(0, why="no equal seeds")
    found = summarize([one[seed] - other[seed] for seed in seeds])
    if found.deviation is None or found.interval is None:
        return Paired(1, found.mean, why="one equal seed")
    # differences of equal size differ by rounding alone
    largest = max(abs(values[seed]) for values in (one, other) for seed in seeds)
    if found.deviation <= 8 * np.finfo(float).eps * largest:
        return Paired(len(seeds), found.mean, why="the same difference at each seed")
    t = found.mean / (found.deviation / math.sqrt(len(seeds)))
    return Paired(len(seeds), found.mean, found.interval, float(2 * stdtr(len(seeds) - 1, -abs(t))))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust the p values of several tests so that the chance of any false one stays below the level (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, and is at least the one before it and at most 1. None, where
    nothing was tested, stays and does not count.
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = highest
    return adjusted


def probability_of_improvement(
    one: Sequence[float], other: Sequence[float], *, smaller_is_better: bool
) -> Improvement | None:
    """P(a run of ``one`` is better than one of ``other``) over all pairs, ties by half (Agarwal et al. 2021).

    The ends of its interval are percentiles of `RESAMPLES` bootstrap samples of both groups, always of the same random
    numbers. None where a group has one run.
    """
    if min(len(one), len(other)) < 2:
        return None
    difference = np.subtract.outer(np.sort(np.array(one)), np.sort(np.array(other)))
    wins = (np.sign(-difference if smaller_is_better else difference) + 1) / 2
    random = np.random.default_rng(0)
    draws = [random.multinomial(size, np.full(size, 1 / size), RESAMPLES) / size for size in wins.shape]
    resampled = np.einsum("ri,ij,rj->r", draws[0], wins, draws[1], optimize=True)
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Improvement(float(wins.mean()), (float(low), float(high)))


def smallest_effect(count: int, tests: int = 1) -> float:
    """The least mean difference, in standard deviations of the differences, that ``count`` pairs show in one of
    ``tests`` tests at 5 %.
    """
    return t_quantile(count - 1, (1 - LEVEL) / tests) / math.sqrt(count)
