"""Sharing out rows of different lengths among batches that cost about the same."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from heapq import heapify, heappush, heapreplace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quatrain.data.sampler import Indices, rows_behind

Reach = Callable[[int, int], int]
"""From the first row of a batch and a budget to the end of the batch."""


class TokenBudget:
    """Batches of at most so many places, the least number with which the rows fit in the batches.

    Padded batches (``packed`` false) have rows of about the same length: the rows are sorted, those of equal length
    stay as they lie, and the places of a batch are its rows times its longest. Packed batches pad nothing, so their
    rows stay as they lie, long beside short, and the places are the tokens.

    A batch never has more places than as many rows of the longest would have as there are rows for each batch on
    average. ``lengths``: from rows to their numbers of tokens.
    """

    def __init__(self, lengths: Callable[[Indices], Indices], *, packed: bool = False) -> None:
        self.lengths, self.packed = lengths, packed

    def __call__(self, indices: Indices, count: int) -> list[Indices]:
        """Return ``indices`` (fillers negative) in ``count`` batches, none of them empty."""
        lengths = np.maximum(self.lengths(rows_behind(indices)), 1)
        if not self.packed:
            order = np.argsort(-lengths, kind="stable")
            indices, lengths = indices[order], lengths[order]
        return np.split(indices, cuts(lengths, count, packed=self.packed))


def cuts(lengths: Indices, count: int, *, packed: bool) -> list[int]:
    """Return the ``count - 1`` places at which to cut rows, so that the dearest batch is as cheap as can be.

    ``lengths``: [rows], at least ``count`` of them, each at least 1, descending unless ``packed``. A batch takes all
    that the budget allows before the next begins, which gives the fewest batches; the budget is found by halving.
    """
    reach = _packed(lengths) if packed else _padded(lengths)
    rows, longest = len(lengths), int(lengths.max())
    least = max(longest, -(-int(lengths.sum()) // count))
    enough = longest * -(-rows // count)
    budgets = range(least, enough)
    fits = bisect_left(budgets, True, key=lambda budget: len(_filled(reach, rows, budget, count)) <= count)
    return _exactly(_filled(reach, rows, least + fits, count), count)


def _padded(lengths: NDArray[np.int64]) -> Reach:
    widths = lengths.tolist()  # the first row of a batch is its longest
    return lambda start, budget: start + budget // widths[start]


def _packed(lengths: NDArray[np.int64]) -> Reach:
    sums = [0, *np.cumsum(lengths).tolist()]
    return lambda start, budget: bisect_right(sums, sums[start] + budget) - 1


def _filled(reach: Reach, rows: int, budget: int, most: int) -> list[int]:
    """The ends of the batches under ``budget``; no more than one beyond ``most`` is made."""
    ends: list[int] = []
    end = 0
    while end < rows and len(ends) <= most:
        end = min(rows, reach(end, budget))
        ends.append(end)
    return ends


def _exactly(ends: list[int], count: int) -> list[int]:
    """The inner ends of ``count`` batches: those of the most rows are halved until there are so many."""
    batches = [(start - end, start, end) for start, end in pairwise([0, *ends])]
    heapify(batches)
    for _ in range(count - len(ends)):
        _, start, end = batches[0]
        middle = (start + end) // 2
        heapreplace(batches, (start - middle, start, middle))
        heappush(batches, (middle - end, middle, end))
    return sorted(start for _, start, _ in batches)[1:]
