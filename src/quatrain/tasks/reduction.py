"""Sums over all ranks."""

import torch
from torch import Tensor


def wide(device: torch.device) -> torch.dtype:
    """The type for sums and counts: float64, which counts exactly far beyond any corpus, where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def ranks() -> int:
    """The number of processes that train together."""
    return torch.distributed.get_world_size() if _distributed() else 1


def sum_over_ranks(values: Tensor) -> Tensor:
    """The elementwise sum of ``values`` over all ranks; every rank must call this, with the same shape."""
    if _distributed():
        values = values.clone()
        torch.distributed.all_reduce(values)
    return values


def gather_over_ranks(values: Tensor) -> Tensor:
    """The rows of all ranks, in the order of the ranks; the number of rows may differ and may be 0.

    values: [rows, ...] of this rank. Returns [all rows, ...] on every rank.
    """
    if not _distributed():
        return values
    counts = torch.zeros(ranks(), dtype=torch.int64, device=values.device)
    counts[torch.distributed.get_rank()] = len(values)
    torch.distributed.all_reduce(counts)
    padded = values.new_zeros((int(counts.max()), *values.shape[1:]))
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in range(ranks())]
    torch.distributed.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts.tolist(), strict=True)])


def _distributed() -> bool:
    return (
        torch.distributed.is_available()
        and torch.distributed.is_initialized()
        and torch.distributed.get_world_size() > 1
    )
