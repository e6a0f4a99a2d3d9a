"""Blocks that compute in float32 where the rest of a model computes in bfloat16."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn

from quatrain.core.errors import UserError
from quatrain.models.layers import find_blocks

Forward = Callable[..., Any]


@contextmanager
def lower_blocks_in_float32(model: nn.Module) -> Iterator[None]:
    """Within it the lower half of the model's blocks ignore autocast; a model without blocks stays as it is.

    What matrix products round in the first blocks passes through all the others. docs/predict.md has what that makes
    of a probability, with and without.
    """
    blocks: list[nn.Module] = []
    with suppress(UserError):
        found = find_blocks(model)[1]
        blocks = list(found[: (len(found) + 1) // 2])
    device = next(model.parameters()).device.type
    own = [vars(block).get("forward") for block in blocks]  # None where it is that of the class
    for block in blocks:
        block.forward = _in_float32(block.forward, device)
    try:
        yield
    finally:
        for block, forward in zip(blocks, own, strict=True):
            del block.forward
            if forward is not None:
                block.forward = forward


def _in_float32(forward: Forward, device: str) -> Forward:
    @functools.wraps(forward)
    def precise(*given: Any, **named: Any) -> Any:
        with torch.autocast(device, enabled=False):
            return forward(*map(_wide, given), **{name: _wide(value) for name, value in named.items()})

    return precise


def _wide(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16 else value
