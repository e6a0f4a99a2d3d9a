"""From rows of different lengths to tensors, padded to the longest of the batch and no further."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def padded(flat: NDArray[Any], lengths: NDArray[np.int64], fill: int) -> NDArray[np.int64]:
    """Lay rows, given one after another in ``flat`` [sum of lengths], out as [batch, longest], filled on the right."""
    table = np.full((len(lengths), int(lengths.max(initial=0))), fill, dtype=np.int64)
    table[real(lengths) == 1] = flat
    return table


def real(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the attention mask [batch, longest]: 1 on tokens, 0 on padding."""
    return (np.arange(int(lengths.max(initial=0))) < lengths[:, None]).astype(np.int64)


def as_tensors(batch: dict[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Turn a batch of arrays into one of tensors; the collate function of every loader here."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}
