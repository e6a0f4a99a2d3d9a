"""Metrics of tables are those that training has of the predictions themselves, and scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from quatrain.inference.class_tables import ClassTables
from quatrain.tasks.metrics import score

NAMES = ("accuracy", "f1", "matthews")


def of_table(predicted: np.ndarray, labels: np.ndarray, size: int) -> dict[str, float]:
    cells, counts = np.unique(labels * size + predicted, return_counts=True)
    found = ClassTables(cells // size, cells % size, size).metrics(NAMES, counts[None].astype(float))
    return {name: float(value[0]) for name, value in found.items()}


def test_a_table_by_hand() -> None:
    """Labels 1 1 1 0 0, predictions 1 1 0 1 0: 3 of 5; F1 of class 1 is 2*2/(3+3); (2*1 - 1*1) / 6."""
    found = of_table(np.array([1, 1, 0, 1, 0]), np.array([1, 1, 1, 0, 0]), 2)
    assert found == pytest.approx({"accuracy": 3 / 5, "f1": 2 / 3, "matthews": 1 / 6})


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_of_training_and_of_scikit_learn(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, max(2, size - 1), 40)  # of three classes and more one never occurs
    predicted = np.where(rng.random(40) < 0.5, labels, rng.integers(0, max(2, size - 1), 40))
    found = of_table(predicted, labels, size)
    own = {name: score(name, torch.tensor(predicted), torch.tensor(labels), size) for name in NAMES}
    assert found == pytest.approx(own, abs=1e-6)
    assert found["matthews"] == pytest.approx(reference.matthews_corrcoef(labels, predicted))
    assert found["f1"] == pytest.approx(
        reference.f1_score(labels, predicted, average="binary" if size == 2 else "macro")
    )


@pytest.mark.parametrize(("predicted", "labels"), [([1, 1, 1], [1, 0, 1]), ([0, 1, 0], [1, 1, 1]), ([1, 1], [1, 1])])
def test_where_one_side_is_constant_the_correlation_is_0(predicted: list[int], labels: list[int]) -> None:
    """As scikit-learn has it, here and in training: nothing was learnt by always saying the same."""
    found = of_table(np.array(predicted), np.array(labels), 2)
    assert found["matthews"] == 0
    assert score("matthews", torch.tensor(predicted), torch.tensor(labels), 2) == 0


def test_a_thousand_classes_need_no_thousand_by_thousand() -> None:
    """Only cells that hold something are kept."""
    labels = np.arange(1000)
    found = of_table(labels, labels, 1000)
    assert found == pytest.approx({"accuracy": 1, "f1": 1, "matthews": 1})
