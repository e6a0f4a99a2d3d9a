"""Dropout that costs little on a CPU.

PyTorch draws a number for each element there, on one core: a fifth of a small transformer's step. Here 64 random bits
decide on four elements at once.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 1 << 16
"""A probability is rounded to a multiple of one over this."""


def dropout(values: Tensor, p: float) -> Tensor:
    """Set each of ``values`` to 0 with the chance ``p``, and scale the others so that the mean stays.

    On a CPU ``p`` is rounded to 1/65536, and the scale is that of the rounded one. The random bits come from PyTorch's
    default generator. Elsewhere, and where all or nothing is dropped, this is PyTorch's own.
    """
    dropped = round(p * LEVELS)
    if values.device.type != "cpu" or not 0 < dropped < LEVELS:
        return functional.dropout(values, p)
    result: Tensor = _Dropout.apply(values, dropped)
    return result


class CheapDropout(nn.Dropout):
    """``nn.Dropout`` by `dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        """As ``nn.Dropout``, not in place."""
        return dropout(input, self.p) if self.training else input


def cheapen_dropout(model: nn.Module) -> None:
    """Make every ``nn.Dropout`` of ``model`` a `CheapDropout`, in place, and have `draws_cheaply` of its modules."""
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = CheapDropout
        module.__dict__["_draws_cheaply"] = True


def draws_cheaply(module: nn.Module) -> bool:
    """Whether ``module``, which draws by a function of its own, shall do so by `dropout`."""
    return "_draws_cheaply" in module.__dict__


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, dropped: int) -> Tensor:
        count = values.numel()
        words = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)  # all 64 bits
        bits = words.view(torch.int16)[:count].view(values.shape)
        scale = LEVELS / (LEVELS - dropped)
        # as numbers and not as booleans: a product of two types is not vectorized
        kept = (bits >= dropped - LEVELS // 2).to(values.dtype).mul_(scale)
        context.save_for_backward(kept)
        return values * kept

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        (kept,) = context.saved_tensors
        return gradients[0] * kept.to(gradients[0].dtype), None
