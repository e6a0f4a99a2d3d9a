"""Cross-entropy over a large vocabulary without the table of all logits.

Logits, their loss and their gradient are made for some rows at a time, while they lie in the processor's cache. What is
kept for the backward pass is the gradient of the inputs ([rows, hidden] and [vocab, hidden]), already made. The idea is
that of Wijmans et al. 2024, "Cut your losses in large-vocabulary language models", and of Liger (Hsu et al. 2024).
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from quatrain.core.batches import IGNORED

CPU_BYTES = (1 << 25, 1 << 24)
GPU_BYTES = (1 << 29, 1 << 29)
"""Of the gradient of the logits that is held at once for a product, and of the logits that are made at once."""


PARTS = 4
"""In which the product that adds to the table's gradient is made, as each stands beside that gradient for a moment."""


class Loss(NamedTuple):
    """Sums over the scored rows."""

    nats: Tensor
    """Cross-entropy, float32; the only part with a gradient."""
    scored: Tensor
    """Rows that were scored, int64."""
    correct: Tensor
    """Rows whose largest logit is the target's, int64; 0 where they are not counted."""


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    *,
    label_smoothing: float = 0.0,
    count_correct: bool = False,
) -> Loss:
    """The sum of ``cross_entropy(linear(hidden, weight, bias), target)`` over rows whose target is not IGNORED.

    Products are made in autocast's type where it is on, else in that of ``hidden``; the softmax, the loss and the sum
    of the table's gradient in float32. The gradient can be asked for once and has none of its own. What is correct is
    counted only where gradients are off.

    Args:
        hidden: [rows, hidden].
        weight: [vocab, hidden].
        bias: [vocab], or None.
        target: [rows] int64.
        label_smoothing: share of the target that is given to all of the vocabulary alike.
        count_correct: compare the largest logits with the targets.
    """
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    nats, correct = _LinearCrossEntropy.apply(
        hidden, weight, bias, target, label_smoothing, dtype, torch.is_grad_enabled(), count_correct
    )
    return Loss(nats, (target != IGNORED).sum(), correct)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        target: Tensor,
        smoothing: float,
        dtype: torch.dtype,
        training: bool,
        count_correct: bool,
    ) -> tuple[Tensor, Tensor]:
        inputs, table = hidden.to(dtype), weight.to(dtype)
        offset = None if bias is None else bias.to(dtype)
        rows, vocab = len(hidden), len(weight)
        limits = CPU_BYTES if hidden.device.type == "cpu" else GPU_BYTES
        held, made = _at_once(limits[0], vocab, dtype.itemsize), _at_once(limits[1], vocab, 4)
        scored = target != IGNORED
        wanted = torch.where(scored, target, 0)[:, None]
        nats = hidden.new_zeros((), dtype=torch.float32)
        correct = target.new_zeros(())
        gradients = _Gradients(context.needs_input_grad, inputs, table, scored) if training else None
        slopes = inputs.new_empty(min(held, rows), vocab) if training else None
        for start in range(0, rows, held):
            stop = min(start + held, rows)
            for first in range(start, stop, made):
                part = slice(first, min(first + made, stop))
                logits = _product(inputs[part], table, offset)
                said = torch.log_softmax(logits, dim=-1, dtype=torch.float32)
                nats -= torch.where(scored[part], _kept(said, wanted[part], smoothing), 0.0).sum()
                if slopes is None:
                    if count_correct:
                        correct += (logits.argmax(dim=-1) == target[part]).sum()
                    continue
                slope = _slope(said, wanted[part], smoothing)
                slopes[first - start : part.stop - start] = slope
            if gradients is not None and slopes is not None:
                gradients.add(start, stop, slopes[: stop - start])
        context.save_for_backward(*(gradients.of_inputs() if gradients else (None, None, None)))
        context.dtypes = hidden.dtype, weight.dtype, None if bias is None else bias.dtype
        context.mark_non_differentiable(correct)
        return nats, correct

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *outer: Tensor) -> Any:
        scaled = (
            None if made is None else made.mul_(outer[0]).to(dtype)
            for made, dtype in zip(context.saved_tensors, context.dtypes, strict=True)
        )
        return (*scaled, None, None, None, None, None)


class _Gradients:
    """Of the sum of the loss by hidden states, table and bias, as far as they are wanted.

    Rows that are not scored are left out where they are [rows, hidden], not where they are [rows, vocab].
    """

    def __init__(self, wanted: tuple[bool, ...], inputs: Tensor, table: Tensor, scored: Tensor) -> None:
        self.scored, self.table = scored[:, None].to(inputs.dtype), table
        self.inputs = inputs * self.scored
        self._hidden = torch.empty_like(inputs) if wanted[0] else None
        self._weight = torch.zeros_like(table, dtype=torch.float32) if wanted[1] else None
        self._bias = table.new_zeros(len(table), dtype=torch.float32) if wanted[2] else None

    def add(self, start: int, stop: int, slopes: Tensor) -> None:
        """Take in the gradient of the logits [stop - start, vocab] of some rows."""
        if self._hidden is not None:
            torch.mm(slopes, self.table, out=self._hidden[start:stop]).mul_(self.scored[start:stop])
        if self._weight is not None:
            for part, entries in zip(self._weight.chunk(PARTS), slopes.t().chunk(PARTS), strict=True):
                part += torch.mm(entries, self.inputs[start:stop])
        if self._bias is not None:
            self._bias += torch.mm(slopes.t(), self.scored[start:stop])[:, 0]

    def of_inputs(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Those of hidden states, table and bias."""
        return self._hidden, self._weight, self._bias


def _product(inputs: Tensor, table: Tensor, offset: Tensor | None) -> Tensor:
    return torch.mm(inputs, table.t()) if offset is None else torch.addmm(offset, inputs, table.t())


def _kept(said: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    """The log-probability that each row gives to its smoothed target, [rows]."""
    exact = said.gather(1, wanted)[:, 0]
    return exact if not smoothing else (1 - smoothing) * exact + smoothing * said.mean(dim=-1)


def _slope(said: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    """The gradient of each row's loss by its logits, [rows, vocab]; ``said`` is used up."""
    slope = said.exp_()
    if smoothing:
        slope.sub_(smoothing / slope.shape[1])
    return slope.scatter_add_(1, wanted, slope.new_full((len(slope), 1), smoothing - 1.0))


def _at_once(size: int, vocab: int, width: int) -> int:
    """How many rows of numbers of ``width`` bytes are ``size`` bytes, a multiple of 8 and at least 8."""
    return max(8, size // (vocab * width) // 8 * 8)
