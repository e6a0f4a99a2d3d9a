"""A part of held-out examples, whose size is bounded and known before anything is scored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.data.loaders import BatchedRows
from quatrain.data.sampler import Key, rows_of
from quatrain.inference.held_out import HeldOut

Places = NDArray[np.int64]


class RowsPart:
    """The rows of ``rows`` at ``places``, numbered anew; labels and lengths where those have them.

    A row is what it is in the whole: its masks do not change.
    """

    def __init__(self, rows: Any, places: Places) -> None:
        self.rows, self.places = rows, places
        if hasattr(rows, "labels"):
            self.labels = rows.labels[places]
        if hasattr(rows, "lengths"):
            self.lengths = lambda some: rows.lengths(places[some])

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.places)

    def __getitems__(self, keys: list[Key]) -> dict[str, Any]:
        """Return the batch of ``keys``."""
        epochs, rows, fillers = rows_of(keys)
        there = np.where(fillers, -1 - self.places[rows], self.places[rows])
        batch: dict[str, Any] = self.rows.__getitems__(list(zip(epochs.tolist(), there.tolist(), strict=True)))
        return {**batch, "example_ids": np.where(fillers, -1 - rows, rows)}


def place_in_split(rows: BatchedRows, number: int) -> int:
    """The place in its split of row ``number`` of ``rows``, which may be a part of it."""
    return int(rows.places[number]) if isinstance(rows, RowsPart) else number


def at_most(held_out: HeldOut, *, tokens: int, rows: int | None = None) -> HeldOut:
    """Return ``held_out``, or of more than so many ``tokens`` or ``rows`` a part, evenly spread over it.

    Characters, which were counted of the whole, are then unknown.
    """
    size = len(held_out.rows)
    lengths = getattr(held_out.rows, "lengths", None)
    each = float(lengths(np.arange(size)).mean()) if lengths and size else held_out.max_length
    most = max(1, min(int(tokens / each), size if rows is None else rows))
    if most >= size:
        return held_out
    part = RowsPart(held_out.rows, np.arange(most) * size // most)
    return replace(held_out, rows=part, characters=None, of=held_out.of or size)


def rows_of_a_validation(held_out: HeldOut, trainer: Mapping[str, Any]) -> int | None:
    """How many rows the training that these arguments of the Trainer describe scored at each validation.

    None is all of them.
    """
    limit = 1 if trainer.get("fast_dev_run") else trainer.get("overfit_batches") or trainer.get("limit_val_batches")
    if limit is None or isinstance(limit, bool):
        return None
    if isinstance(limit, int):
        return limit * held_out.batch_size
    batches = -(-len(held_out.rows) // held_out.batch_size)
    return int(batches * limit) * held_out.batch_size
