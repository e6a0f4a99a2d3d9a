"""From rows of different lengths to tensors."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Tokens = NDArray[np.int64]


class Layout:
    """Where the tokens of a batch belong that lie one after another, row by row.

    ``lengths``: [batch]. ``starts``: [batch], the first token of each row. ``rows`` and ``positions``: [tokens], the
    row of each token and its place in that row.
    """

    def __init__(self, lengths: Tokens) -> None:
        self.lengths = lengths
        self.starts: Tokens = np.cumsum(lengths) - lengths
        self.rows: Tokens = np.repeat(np.arange(len(lengths)), lengths)
        self.positions: Tokens = np.arange(len(self.rows)) - self.starts[self.rows]
        self.longest = int(lengths.max(initial=0))
        self._slots = self.rows * self.longest + self.positions

    def padded(self, flat: Any, fill: int) -> Tokens:
        """Lay tokens [tokens], or one number for all of them, out as [batch, longest], filled on the right."""
        table = np.full(len(self.lengths) * self.longest, fill, dtype=np.int64)
        table[self._slots] = flat
        return table.reshape(-1, self.longest)

    def attention_mask(self) -> Tokens:
        """[batch, longest]: 1 on tokens, 0 on padding."""
        return self.padded(1, 0)


def as_tensors(batch: dict[str, Any]) -> dict[str, Any]:
    """Turn a batch of arrays into one of tensors; plain numbers stay. The collate function of every loader here."""
    return {
        name: torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
        for name, value in batch.items()
    }
