"""Which rows a rank reads, and in which order.

A key is ``(epoch, index)``. A negative index ``-1-i`` is a filler: row i again, scored nowhere, so that every rank has
the same number of rows without any row counting twice.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from quatrain.data.counter_hash import key_of, permuted

Key = tuple[int, int]

EVALUATION = -1
"""The epoch in the keys of validation and test: what depends on the epoch is the same each time."""

_CHUNK = 4096
_SHUFFLE = 1  # tells the shuffle's random numbers from those of masks with the same seed


def rows_of(keys: list[Key]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return epochs [batch], rows [batch] (fillers too as the row that they repeat) and whether each is a filler."""
    epochs, indices = np.asarray(keys, dtype=np.int64).reshape(-1, 2).T
    fillers = indices < 0
    return epochs, np.where(fillers, -1 - indices, indices), fillers


def _share(size: int, world_size: int) -> int:
    return -(-size // world_size)


def _indices(places: NDArray[np.int64], size: int, key: NDArray[np.uint64] | None) -> NDArray[np.int64]:
    """Rows at the given places of the (shuffled) order; places beyond its end are fillers."""
    inside = places % size
    rows = inside if key is None else permuted(inside, size, key)
    return np.where(places < size, rows, -1 - rows)


class EpochSampler:
    """Training keys: every row exactly once per epoch over all ranks, in an order fixed by (seed, epoch).

    Rank r takes the places r, r + world_size, ... of the order, so that the ranks' n-th batches together are the n-th
    batch of one process with a batch ``world_size`` times as large. Memory does not depend on ``size``.
    Every iteration gives ``epoch``, from the place on that `resume` named for the first one.
    """

    def __init__(
        self, size: int, *, shuffle: bool = True, seed: int = 0, epoch: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self.size, self.shuffle, self.seed, self.epoch = size, shuffle, seed, epoch
        self.rank, self.world_size = rank, world_size
        self.start = 0

    def __len__(self) -> int:
        """Count the keys of this rank in one epoch, fillers too; the same on every rank."""
        return _share(self.size, self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Make ``epoch`` the next one; an iteration that is under way is not touched.

        Where it is the next one already, a place that `resume` named holds.
        """
        if epoch != self.epoch:
            self.resume(epoch, 0)

    def resume(self, epoch: int, start: int) -> None:
        """Make the next iteration the keys of ``epoch`` after the first ``start``; then come whole epochs again."""
        self.epoch, self.start = epoch, start

    def __iter__(self) -> Iterator[Key]:
        epoch, start, self.start = self.epoch, self.start, 0
        for chunk in range(start, len(self), _CHUNK):
            yield from self.keys(epoch, chunk, chunk + _CHUNK)

    def keys(self, epoch: int, start: int, stop: int) -> list[Key]:
        """Return the keys of this rank from its ``start``-th to before its ``stop``-th in ``epoch``."""
        places = self.rank + self.world_size * np.arange(start, min(stop, len(self)), dtype=np.int64)
        key = key_of(_SHUFFLE, self.seed, epoch) if self.shuffle else None
        return [(epoch, index) for index in _indices(places, self.size, key).tolist()]


class EvaluationSampler:
    """Validation and test keys: every row exactly once over all ranks, in order, with the epoch `EVALUATION`."""

    def __init__(self, size: int, *, rank: int = 0, world_size: int = 1) -> None:
        self.size, self.rank, self.world_size = size, rank, world_size

    def __len__(self) -> int:
        """Count the keys of this rank, fillers too; the same on every rank."""
        return _share(self.size, self.world_size)

    def __iter__(self) -> Iterator[Key]:
        for start in range(0, len(self), _CHUNK):
            places = np.arange(start, min(start + _CHUNK, len(self)), dtype=np.int64) * self.world_size + self.rank
            for index in _indices(places, self.size, None).tolist():
                yield EVALUATION, index
