"""The mean loss of an optimizer step: over all that was scored in it, whatever micro-batch or rank it came from."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from quatrain.tasks.reduction import ranks, sum_over_ranks, wide

DAMPING = 2.0**-10
"""Factor on every loss before its backward pass, taken out again before the step. A sum over thousands of tokens would
overflow float16; a power of two changes no other bit."""


class Sums(NamedTuple):
    """What an optimizer step added up to over all ranks; each a tensor of one number."""

    loss: Tensor
    scored: Tensor
    examples: Tensor
    tokens: Tensor
    positions: Tensor


class StepSums:
    """What the micro-batches of one optimizer step add up to on this rank, and the correction of its gradients.

    Each backward pass runs on a *sum* of losses, damped. `finish` then brings the gradients, which the strategy has
    averaged over ranks, to those of the mean: times the number of ranks, by the number scored on all of them. Nothing
    here waits for the device.
    """

    def __init__(self) -> None:
        self._sums: Tensor | None = None

    def reset(self) -> None:
        """Forget what was added: a new step begins."""
        self._sums = None

    def add(self, *, loss: Tensor, scored: Tensor, examples: int, tokens: Tensor | int, positions: int) -> None:
        """Count one micro-batch: summed loss, targets scored, rows, real tokens, and places with the padding."""
        dtype, device = wide(loss.device), loss.device
        counts = torch.tensor([0, 0, examples, tokens if isinstance(tokens, int) else 0, positions], dtype=dtype)
        counts = counts.to(device, non_blocking=True)
        counts[0] += loss.detach()
        counts[1] += scored
        if isinstance(tokens, Tensor):
            counts[3] += tokens
        self._sums = counts if self._sums is None else self._sums + counts

    def finish(self, parameters: list[nn.Parameter]) -> Sums:
        """Scale the gradients of ``parameters`` in place; return the sums over all ranks.

        A step in which nothing was scored has gradients of zero and keeps them.
        """
        assert self._sums is not None, "no micro-batch was added"
        sums = Sums(*sum_over_ranks(self._sums).unbind())
        factor = ranks() / (sums.scored.clamp(min=1) * DAMPING)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for dtype in {gradient.dtype for gradient in gradients}:
            same = [gradient for gradient in gradients if gradient.dtype == dtype]
            torch._foreach_mul_(same, factor.to(dtype))
        self.reset()
        return sums
