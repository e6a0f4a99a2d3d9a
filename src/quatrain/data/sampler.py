"""Which rows a rank reads, in which order, and in which batches.

A key is ``(epoch, index)``. A negative index ``-1-i`` is a filler: row i again, scored nowhere, so that every rank has
the same number of batches without any row counting twice.
"""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quatrain.data.counter_hash import key_of, permuted

Key = tuple[int, int]
Indices = NDArray[np.int64]

EVALUATION = -1
"""The epoch in the keys of validation and test: what depends on the epoch is the same each time."""

POOL = 64
"""Batches of each rank that are made at once; where batches go by length, their rows are shared out among them."""

_GOLDEN_SECTION = (math.sqrt(5) - 1) / 2
_SHUFFLE, _STEPS = 1, 5  # tell these random numbers from those of masks with the same seed


class Buckets(Protocol):
    """A way to share out a pool of rows, fillers too, among a number of batches that is not above theirs."""

    def __call__(self, indices: Indices, count: int) -> list[Indices]:
        """Return ``count`` batches, none empty, such that neighbours cost the same."""
        ...


def rows_of(keys: list[Key]) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Return epochs [batch], rows [batch] (fillers too as the row that they repeat) and whether each is a filler."""
    numbers = np.fromiter(chain.from_iterable(keys), dtype=np.int64, count=2 * len(keys))
    epochs, indices = numbers.reshape(-1, 2).T
    return epochs, rows_behind(indices), indices < 0


def rows_behind(indices: Indices) -> Indices:
    """Return the row of each index, of a filler the one that it repeats."""
    return np.where(indices < 0, -1 - indices, indices)


class _Batches:
    """The batches of one rank: every row of an epoch exactly once over all ranks, in an order fixed by (seed, epoch).

    Without ``buckets`` rank r takes the places r, r + world_size, ... of the order, ``batch_size`` at a time, so that
    the ranks' n-th batches together are the n-th batch of one process with a batch ``world_size`` times as large.

    With ``buckets`` there are as many batches, and ``batch_size`` is their mean number of rows: the rows of `POOL`
    steps, neighbours in the order, are shared out among the batches of those steps by ``buckets``. Neighbours among
    those batches go to the ranks of one step; the order of the steps is fixed by (seed, epoch, pool), and any few of
    them in a row cover all lengths. With ``parts``
    that is done for batches so many times as large, each of which then comes in so many parts.

    Memory does not depend on ``size``: a pool is made when the first of its batches is asked for.
    """

    def __init__(
        self,
        size: int,
        *,
        batch_size: int,
        drop_last: bool,
        shuffle: bool,
        seed: int,
        rank: int,
        world_size: int,
        buckets: Buckets | None,
        parts: int = 1,
    ) -> None:
        self.size, self.batch_size, self.drop_last = size, batch_size, drop_last
        self.shuffle, self.seed, self.rank, self.world_size = shuffle, seed, rank, world_size
        self.buckets, self.parts = buckets, parts
        self._held: tuple[int, int] | None = None
        self._pool: list[Indices] = []

    @property
    def share(self) -> int:
        """Rows of this rank in an epoch, those that even out the ranks too."""
        return -(-self.size // self.world_size)

    def __len__(self) -> int:
        """Count the batches of an epoch; the same on every rank."""
        if self.drop_last:
            return self.share // (self.batch_size * self.parts) * self.parts
        return -(-self.share // self.batch_size)

    def keys(self, epoch: int, number: int) -> list[Key]:
        """Return the batch ``number`` of ``epoch``."""
        pool, place = divmod(number, POOL * self.parts)
        if self._held != (epoch, pool):
            make = self._in_order if self.buckets is None else self._by_length
            self._pool, self._held = make(epoch, pool * POOL), (epoch, pool)
        return [(epoch, index) for index in self._pool[place].tolist()]

    def _in_order(self, epoch: int, first: int) -> list[Indices]:
        """The batches from ``first`` on, as they lie in the order."""
        first *= self.parts
        stop = min((first + POOL * self.parts) * self.batch_size, self.share)
        numbers = np.arange(first * self.batch_size, stop, dtype=np.int64)
        indices = self._indices(epoch, self.rank + self.world_size * numbers)
        return [indices[start : start + self.batch_size] for start in range(0, len(indices), self.batch_size)]

    def _by_length(self, epoch: int, first: int) -> list[Indices]:
        """The batches from ``first`` on, the rows of all their steps shared out anew; each in its parts."""
        steps = min(POOL, -(-len(self) // self.parts) - first)
        of_step = self.batch_size * self.parts * self.world_size
        places = np.arange(first * of_step, min((first + steps) * of_step, self.size), dtype=np.int64)
        made = self._shared(self._indices(epoch, places), steps * self.world_size)
        own = [made[step * self.world_size + self.rank] for step in self._order(epoch, first, steps)]
        left = len(self) - first * self.parts  # the last batch of an epoch may have fewer parts
        parts = [min(self.parts, left - number * self.parts) for number in range(steps)]
        return [part for batch, count in zip(own, parts, strict=True) for part in self._shared(batch, count)]

    def _order(self, epoch: int, first: int, steps: int) -> list[int]:
        """The order of a pool's steps: a walk by the golden section, begun anywhere.

        Any few steps in a row then have short and long rows alike. In an order of chance the optimizer would follow now
        the ones, now the others: on verse lines the loss after as many steps was higher (3.62 against 3.48).
        """
        begin = int(key_of(_STEPS, self.seed, epoch, first)[0] >> np.uint64(11)) * 2.0**-53
        walk = (begin + np.arange(steps) * _GOLDEN_SECTION) % 1.0
        return np.argsort(np.argsort(walk)).tolist()

    def _shared(self, indices: Indices, count: int) -> list[Indices]:
        """``indices`` in ``count`` batches; where there are fewer of them, with fillers."""
        if count == 1:
            return [indices]
        assert self.buckets is not None
        spare = np.resize(indices, max(0, count - len(indices)))
        return self.buckets(np.concatenate([indices, -1 - rows_behind(spare)]), count)

    def _indices(self, epoch: int, places: Indices) -> Indices:
        """Rows at ``places`` of the order; places beyond its end are fillers."""
        inside = places % self.size
        rows = permuted(inside, self.size, key_of(_SHUFFLE, self.seed, epoch)) if self.shuffle else inside
        return np.where(places < self.size, rows, -1 - rows)


class TrainingBatches(_Batches):
    """Training batches. Every iteration gives ``epoch``, the first from the batch on that `resume` named."""

    def __init__(
        self,
        size: int,
        *,
        batch_size: int,
        drop_last: bool = False,
        shuffle: bool = True,
        seed: int = 0,
        epoch: int = 0,
        rank: int = 0,
        world_size: int = 1,
        buckets: Buckets | None = None,
        parts: int = 1,
    ) -> None:
        super().__init__(
            size,
            batch_size=batch_size,
            drop_last=drop_last,
            shuffle=shuffle,
            seed=seed,
            rank=rank,
            world_size=world_size,
            buckets=buckets,
            parts=parts,
        )
        self.epoch, self.start = epoch, 0

    def set_epoch(self, epoch: int) -> None:
        """Make ``epoch`` the next one; an iteration that is under way is not touched.

        Where it is the next one already, a place that `resume` named holds.
        """
        if epoch != self.epoch:
            self.resume(epoch, 0)

    def resume(self, epoch: int, start: int) -> None:
        """Make the next iteration the batches of ``epoch`` after the first ``start``; then come whole epochs again."""
        self.epoch, self.start = epoch, start

    def __iter__(self) -> Iterator[list[Key]]:
        epoch, start, self.start = self.epoch, self.start, 0
        for number in range(start, len(self)):
            yield self.keys(epoch, number)


class EvaluationBatches(_Batches):
    """Validation and test batches, with the epoch `EVALUATION`: the rows in order, or shared out within pools of it.

    With ``buckets`` the order of the steps in a pool is that of training, so that a limit on the batches takes long and
    short rows alike.
    """

    epoch = EVALUATION

    def __init__(
        self, size: int, *, batch_size: int, rank: int = 0, world_size: int = 1, buckets: Buckets | None = None
    ) -> None:
        super().__init__(
            size,
            batch_size=batch_size,
            drop_last=False,
            shuffle=False,
            seed=0,
            rank=rank,
            world_size=world_size,
            buckets=buckets,
        )

    def __iter__(self) -> Iterator[list[Key]]:
        return (self.keys(self.epoch, number) for number in range(len(self)))
