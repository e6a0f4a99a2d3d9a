"""Metrics of classes from tables of how often each class was predicted for each label, many tables at once.

They are those of `quatrain.tasks.metrics`, which makes them of the predictions themselves.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Numbers = NDArray[np.float64]


class ClassTables:
    """Tables that have counts in some cells alone: ``labels`` and ``predicted`` [cells] say in which.

    Counts come as [tables, cells]; metrics go out as [tables].
    """

    def __init__(self, labels: NDArray[np.int64], predicted: NDArray[np.int64], num_labels: int) -> None:
        self._labels = _membership(labels, num_labels)
        self._predicted = _membership(predicted, num_labels)
        self._right = _membership(labels, num_labels, labels == predicted)
        self._num_labels = num_labels

    def metrics(self, names: Sequence[str], counts: Numbers) -> dict[str, Numbers]:
        """The metrics of these names, of accuracy, f1 and matthews."""
        made = {"accuracy": self._accuracy, "f1": self._f1, "matthews": self._matthews}
        return {name: made[name](counts) for name in names}

    def _accuracy(self, counts: Numbers) -> Numbers:
        found: Numbers = (counts @ self._right).sum(axis=1) / counts.sum(axis=1)
        return found

    def _f1(self, counts: Numbers) -> Numbers:
        """F1 of class 1 where there are two classes, else the mean over the classes that occur."""
        right, of_label, guessed = self._sums(counts)
        occurring = of_label + guessed
        f1 = _divided(2 * right, occurring)
        if self._num_labels == 2:
            return f1[:, 1]
        found: Numbers = f1.sum(axis=1) / (occurring > 0).sum(axis=1)
        return found

    def _matthews(self, counts: Numbers) -> Numbers:
        """Gorodkin's correlation of several classes (2004); 0 where labels or predictions are all of one."""
        right, of_label, guessed = self._sums(counts)
        size = counts.sum(axis=1)
        together = right.sum(axis=1) * size - (of_label * guessed).sum(axis=1)
        alone = [size**2 - (sums**2).sum(axis=1) for sums in (of_label, guessed)]
        return _divided(together, np.sqrt(alone[0]) * np.sqrt(alone[1]))

    def _sums(self, counts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Of each class [tables, classes]: right ones, those that have it as label, those that were guessed it."""
        return counts @ self._right, counts @ self._labels, counts @ self._predicted


def _membership(classes: NDArray[np.int64], num_labels: int, counted: NDArray[np.bool_] | None = None) -> csr_array:
    """[cells, classes]: 1 where a cell is of a class, if it is ``counted``."""
    ones = np.ones(len(classes)) if counted is None else counted.astype(np.float64)
    return csr_array((ones, (np.arange(len(classes)), classes)), shape=(len(classes), num_labels))


def _divided(above: Numbers, below: Numbers) -> Numbers:
    """The quotient; 0 by 0 is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
