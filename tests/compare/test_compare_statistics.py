"""Means, intervals, tests and probabilities: numbers by hand, from published tables, and from scipy.stats."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quatrain.compare.statistics import (
    Improvement,
    holm,
    paired_test,
    probability_of_improvement,
    smallest_effect,
    summarize,
)

VALUES = st.lists(st.floats(-1e3, 1e3).map(lambda value: round(value, 3)), min_size=2, max_size=12)


def test_summary_by_hand() -> None:
    """2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, so sd is the root of 13; t of a table for 2 degrees is 4.303."""
    found = summarize([2.0, 4.0, 9.0])
    assert found.mean == 5
    assert found.deviation == pytest.approx(math.sqrt(13))
    assert found.interval is not None
    half = 4.302653 * math.sqrt(13 / 3)
    assert found.interval == pytest.approx((5 - half, 5 + half), rel=1e-6)


def test_one_value_has_no_error() -> None:
    found = summarize([3.0])
    assert (found.mean, found.deviation, found.interval) == (3.0, None, None)


@settings(max_examples=50, deadline=None)
@given(VALUES, st.integers(-100, 100))
def test_a_constant_shifts_the_mean_and_its_interval_alone(values: list[float], shift: int) -> None:
    before, after = summarize(values), summarize([value + shift for value in values])
    assert after.mean == pytest.approx(before.mean + shift, abs=1e-9)
    assert after.deviation == pytest.approx(before.deviation, abs=1e-9)
    assert before.interval is not None
    assert after.interval == pytest.approx([end + shift for end in before.interval], abs=1e-8)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_the_interval_is_that_of_scipy(values: list[float]) -> None:
    found = summarize(values)
    assert found.deviation == pytest.approx(np.std(values, ddof=1), abs=1e-9)
    if found.deviation and found.deviation > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
        assert found.interval == pytest.approx((low, high), rel=1e-7, abs=1e-9)


def test_paired_test_by_hand_and_by_scipy() -> None:
    """Differences 1, 2, 3: mean 2, sd 1, t = 2 root 3 = 3.464; p from 2 degrees is 1 - t / root(t t + 2)."""
    one, other = {1: 11.0, 2: 22.0, 3: 33.0, 9: 0.0}, {3: 30.0, 1: 10.0, 2: 20.0, 8: 5.0}
    found = paired_test(one, other)
    assert (found.count, found.difference) == (3, 2.0)
    t = 2 * math.sqrt(3)
    assert found.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert found.p == pytest.approx(stats.ttest_rel([11, 22, 33], [10, 20, 30]).pvalue)
    assert found.interval == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), rel=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "count", "why"),
    [
        ({1: 1.0}, {2: 1.0}, 0, "no equal seeds"),
        ({1: 1.0, 2: 2.0}, {2: 1.0, 3: 1.0}, 1, "one equal seed"),
        ({1: 1.1, 2: 2.1, 3: 0.7}, {1: 1.0, 2: 2.0, 3: 0.6}, 3, "the same difference at each seed"),
        ({1: 1.5, 2: 2.5}, {1: 1.5, 2: 2.5}, 2, "the same difference at each seed"),
    ],
)
def test_what_cannot_be_tested_says_why(one: dict[int, float], other: dict[int, float], count: int, why: str) -> None:
    found = paired_test(one, other)
    assert (found.count, found.p, found.why) == (count, None, why)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=2, max_size=10))
def test_changing_sides_changes_the_sign_alone(pairs: list[tuple[float, float]]) -> None:
    one, other = (dict(enumerate(side)) for side in zip(*pairs, strict=True))
    there, back = paired_test(one, other), paired_test(other, one)
    assert (there.p, there.why) == (back.p, back.why)
    assert there.difference == pytest.approx(-(back.difference or 0.0))


def test_holm_by_hand() -> None:
    """Four tests: .01 x 4, .015 x 3 = .045, .04 x 2 = .08, and .03 x 2 = .06 comes before .04 x 1, which it raises."""
    assert holm([0.01, 0.04, 0.03, 0.015]) == pytest.approx([0.04, 0.06, 0.06, 0.045])
    assert holm([0.2, None, 0.9]) == [0.4, None, 0.9]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        assert adjusted is not None
        assert p <= adjusted <= min(1.0, p * len(p_values)) + 1e-12


def test_probability_of_improvement_by_hand() -> None:
    """Of 1, 3 against 2, 3, 4 smaller wins in (1,2) (1,3) (1,4) (3,4), and (3,3) counts half: 4.5 of 6."""
    found = probability_of_improvement([3.0, 1.0], [4.0, 2.0, 3.0], smaller_is_better=True)
    assert isinstance(found, Improvement)
    assert found.probability == pytest.approx(4.5 / 6)
    larger = probability_of_improvement([3.0, 1.0], [4.0, 2.0, 3.0], smaller_is_better=False)
    assert larger is not None
    assert larger.probability == pytest.approx(1.5 / 6)
    apart = probability_of_improvement([1.0, 2.0], [3.0, 4.0], smaller_is_better=True)
    assert apart == Improvement(1.0, (1.0, 1.0))
    assert probability_of_improvement([1.0], [3.0, 4.0], smaller_is_better=True) is None


def test_probability_is_mann_whitneys_u_and_its_interval_a_plain_bootstrap() -> None:
    random = np.random.default_rng(3)
    one, other = random.normal(0, 1, 20).tolist(), random.normal(0.7, 1, 15).tolist()
    found = probability_of_improvement(one, other, smaller_is_better=True)
    assert found is not None
    assert found.probability == pytest.approx(1 - stats.mannwhitneyu(one, other).statistic / 300)
    resampled = [
        np.less.outer(random.choice(one, 20), random.choice(other, 15)).mean() for _ in range(2000)
    ]  # as Agarwal et al. draw them
    assert found.interval == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.02)


def test_what_three_seeds_can_show() -> None:
    """4.303 / root 3 = 2.484; and an effect of just that size has a p value of just 5 %."""
    effect = smallest_effect(3)
    assert effect == pytest.approx(2.4841, abs=1e-4)
    found = paired_test({1: effect - 1, 2: effect, 3: effect + 1}, {1: 0.0, 2: 0.0, 3: 0.0})
    assert found.p == pytest.approx(0.05)
    assert smallest_effect(3, tests=5) > effect > smallest_effect(10)
