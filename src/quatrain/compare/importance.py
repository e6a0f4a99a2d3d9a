"""Which knob matters: the share of the variance over all runs that each explains by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from quatrain.compare.knobs import Knob

FEWEST_RUNS = 20
WIDE = 10.0
"""A knob of positive numbers whose largest is so many times the smallest is seen on a logarithmic scale."""

ETA = "variance share (eta squared) of each knob alone"
FANOVA = "fANOVA (Hutter et al. 2014) by Optuna: 64 trees, main effects"
TREES_SEED = 0


@dataclass(frozen=True)
class Share:
    """What a knob explains, from 0 to 1, and what one without effect explains by chance; None: it cannot be said."""

    knob: Knob
    share: float | None
    by_chance: float | None


@dataclass(frozen=True)
class Importance:
    """Shares of all knobs, the largest first, how they were found, and the share between runs of one group."""

    method: str
    shares: tuple[Share, ...]
    between_seeds: float | None


def importance(knobs: Sequence[Knob], values: Sequence[Sequence[float]]) -> Importance | None:
    """Share the variance of ``values``, of each group those of its runs, among ``knobs``; None where nothing varies.

    By eta squared: the variance between the means of a knob's levels, over all variance. That says nothing where a
    knob has fewer than two runs for each level. If all such knobs are numbers (they were sampled rather than listed),
    there are `FEWEST_RUNS` runs, and Optuna and scikit-learn are installed, all shares are by fANOVA instead; else the
    share of such a knob is None.
    """
    every = [value for runs in values for value in runs]
    total = _squares(every)
    if not knobs or total <= 0:
        return None
    within = math.fsum(_squares(runs) for runs in values) / total if len(every) > len(values) else None
    sampled = [knob for knob in knobs if not _fills_levels(knob, len(every))]
    if sampled and all(knob.numbers for knob in sampled) and len(every) >= FEWEST_RUNS and _installed():
        found = [Share(knob, share, None) for knob, share in zip(knobs, _fanova(knobs, values), strict=True)]
        return Importance(FANOVA, _sorted(found), within)
    return Importance(ETA, _sorted([_eta_squared(knob, values, total) for knob in knobs]), within)


def _eta_squared(knob: Knob, values: Sequence[Sequence[float]], total: float) -> Share:
    by_level: dict[int, list[float]] = {}
    for level, runs in zip(knob.levels, values, strict=True):
        by_level.setdefault(level, []).extend(runs)
    count = sum(map(len, by_level.values()))
    if not _fills_levels(knob, count):
        return Share(knob, None, None)
    unexplained = math.fsum(map(_squares, by_level.values()))
    return Share(knob, 1 - unexplained / total, (len(by_level) - 1) / (count - 1))


def _fanova(knobs: Sequence[Knob], values: Sequence[Sequence[float]]) -> list[float]:
    """Hutter, Hoos, Leyton-Brown 2014: the variance of a forest's prediction along one knob, the others averaged."""
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.importance import FanovaImportanceEvaluator

    names = [str(place) for place in range(len(knobs))]
    columns: list[Sequence[float]] = []
    distributions: dict[str, BaseDistribution] = {}
    for name, knob in zip(names, knobs, strict=True):
        numbers = _scaled(knob.numbers)
        columns.append(numbers or knob.levels)
        distributions[name] = (
            FloatDistribution(min(numbers), max(numbers))
            if numbers
            else CategoricalDistribution(sorted(set(knob.levels)))
        )
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        for place, runs in enumerate(values):
            params = {name: column[place] for name, column in zip(names, columns, strict=True)}
            for value in runs:
                study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
        shares = FanovaImportanceEvaluator(seed=TREES_SEED).evaluate(study)
    finally:
        optuna.logging.set_verbosity(level)
    return [shares[name] for name in names]


def _scaled(numbers: list[float] | None) -> list[float] | None:
    if numbers and min(numbers) > 0 and max(numbers) >= WIDE * min(numbers):
        return [math.log10(number) for number in numbers]
    return numbers


def _fills_levels(knob: Knob, runs: int) -> bool:
    return runs >= 2 * len(set(knob.levels))


def _installed() -> bool:
    return find_spec("optuna") is not None and find_spec("sklearn") is not None


def _squares(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)


def _sorted(shares: Sequence[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda share: (share.share is None, -(share.share or 0.0), share.knob.keys)))
