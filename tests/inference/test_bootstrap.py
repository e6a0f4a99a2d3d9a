"""Intervals by hand, against scipy's own bootstrap, and drawn as tables against drawn one by one."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from quatrain.inference.bootstrap import Ranks, Resampling, interval, means, pearson, ratios

RNG = np.random.default_rng(7)


def test_two_examples_by_hand() -> None:
    """One right, one wrong: a resample has accuracy 0, 1/2 or 1 in 1, 2 and 1 of 4 cases, so 95 % are 0 to 1."""
    predicted, labels = np.array([1, 0]), np.array([1, 1])
    found = Resampling(resamples=400).of_tables(predicted, labels, 2, ("accuracy",))
    assert found == {"accuracy": (0.0, 1.0)}


def test_percentiles_by_hand() -> None:
    """Of 0, 1, ..., 40 the 2.5th percentile is 1 and the 97.5th is 39."""
    assert interval(np.arange(41.0)) == (pytest.approx(1), pytest.approx(39))


def test_examples_that_are_all_alike_have_no_width() -> None:
    found = Resampling(resamples=50).of_tables(np.ones(9, int), np.ones(9, int), 3, ("accuracy", "f1", "matthews"))
    assert found == {"accuracy": (1.0, 1.0), "f1": (1.0, 1.0), "matthews": (0.0, 0.0)}


@pytest.mark.parametrize("metric", ["accuracy", "f1", "matthews"])
def test_drawing_tables_is_drawing_examples(metric: str) -> None:
    """The values on resamples drawn either way have one distribution: Kolmogorov and Smirnov's test sees none."""
    from quatrain.inference.class_tables import ClassTables

    labels = RNG.integers(0, 3, 90)
    predicted = np.where(RNG.random(90) < 0.6, labels, RNG.integers(0, 3, 90))
    cells = labels * 3 + predicted
    tables = ClassTables(np.arange(9) // 3, np.arange(9) % 3, 3)
    counts = np.bincount(cells, minlength=9)
    drawn = tables.metrics([metric], RNG.multinomial(90, counts / 90, size=2000).astype(float))[metric]
    literal = np.stack([np.bincount(cells[RNG.integers(0, 90, 90)], minlength=9) for _ in range(2000)])
    one_by_one = tables.metrics([metric], literal.astype(float))[metric]
    assert stats.ks_2samp(drawn, one_by_one).pvalue > 0.01
    found = Resampling(resamples=2000).of_tables(predicted, labels, 3, (metric,))[metric]
    assert found == pytest.approx(interval(one_by_one), abs=0.02)


def test_a_mean_has_the_interval_that_scipy_gives() -> None:
    values = RNG.exponential(size=200)
    reference = stats.bootstrap((values,), np.mean, n_resamples=9999, method="percentile", random_state=1)
    found = Resampling(resamples=9999).literal(200, lambda weights: {"loss": means(values, weights)})["loss"]
    assert found == pytest.approx(tuple(reference.confidence_interval), rel=0.01)


def test_a_ratio_has_the_interval_that_scipy_gives() -> None:
    """Nats over tokens, where rows have different numbers of tokens."""
    tokens = RNG.integers(1, 9, 150).astype(float)
    nats = tokens * RNG.gamma(2, size=150)

    def ratio(above: Any, below: Any, axis: int) -> Any:
        return above.sum(axis=axis) / below.sum(axis=axis)

    reference = stats.bootstrap(
        (nats, tokens), ratio, paired=True, n_resamples=9999, method="percentile", random_state=1
    )
    found = Resampling(resamples=9999).literal(150, lambda weights: {"loss": ratios(nats, tokens, weights)})["loss"]
    assert found == pytest.approx(tuple(reference.confidence_interval), rel=0.01)


def test_the_true_mean_lies_in_about_95_of_100_intervals() -> None:
    inside = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=60)
        low, high = Resampling(resamples=400, seed=seed).literal(60, lambda d, v=values: {"loss": means(v, d)})["loss"]
        inside += low <= 0 <= high
    assert 180 <= inside <= 198


def drawn(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The values of one resample, each as often as it was drawn."""
    return np.repeat(values, weights.astype(int))


def test_ranks_of_draws_are_scipys() -> None:
    values = RNG.integers(0, 12, 40).astype(float)
    weights = RNG.multinomial(40, np.full(40, 1 / 40), size=25).astype(float)
    for ranks, row in zip(Ranks(values)(weights), weights, strict=True):
        assert drawn(ranks, row) == pytest.approx(stats.rankdata(drawn(values, row)))


def test_correlations_are_scipys() -> None:
    first, second = RNG.normal(size=(2, 30)).round(1)
    second += first
    weights = RNG.multinomial(30, np.full(30, 1 / 30), size=25).astype(float)
    found = pearson(first, second, weights)
    ranked = pearson(Ranks(first)(weights), Ranks(second)(weights), weights)
    for place, row in enumerate(weights):
        pair = drawn(first, row), drawn(second, row)
        assert found[place] == pytest.approx(stats.pearsonr(*pair).statistic)
        assert ranked[place] == pytest.approx(stats.spearmanr(*pair).statistic)


def test_a_correlation_is_0_where_one_side_is_constant() -> None:
    """In all, or in what was drawn."""
    assert pearson(np.full(3, 0.1), np.array([1.0, 2, 3]), np.ones((1, 3))).tolist() == [0.0]
    assert pearson(np.array([0.1, 0.1, 2]), np.array([1.0, 2, 3]), np.array([[2.0, 1, 0]])).tolist() == [0.0]


def test_weights_say_how_often_each_example_was_drawn() -> None:
    """As many draws as examples; each example equally often in the long run."""
    seen = []
    Resampling(resamples=500).literal(20, lambda weights: {"n": seen.append(weights) or weights.sum(axis=1)})
    weights = np.concatenate(seen)
    assert weights.shape == (500, 20)
    assert (weights.sum(axis=1) == 20).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(20), abs=0.2)
    assert weights.var() == pytest.approx(1 - 1 / 20, rel=0.05)


def test_parts_of_any_size_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by drawing some resamples at a time, which changes none."""
    from quatrain.inference import bootstrap

    values = RNG.normal(size=50)
    whole = Resampling(resamples=37).literal(50, lambda weights: {"loss": means(values, weights)})
    sizes = []

    def noting(weights: Any) -> dict[str, Any]:
        sizes.append(weights.size)
        return {"loss": means(values, weights)}

    monkeypatch.setattr(bootstrap, "DRAWS_AT_ONCE", 120)
    assert Resampling(resamples=37).literal(50, noting)["loss"] == pytest.approx(whole["loss"])
    assert max(sizes) == 100
    assert sum(sizes) == 37 * 50
