"""The logits of a model on sample rows, and how far another's may be from them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from quatrain.runs.export import ExportMismatch

ABSOLUTE, RELATIVE = 1e-4, 1e-5
"""A logit may differ by `ABSOLUTE`, or by `RELATIVE` of the largest where that is more.

The same products summed in another order differ by some 1e-7 of their size at each layer, in float32; a wrong mask,
position, activation or weight by 1e-2 and more.
"""


def logits_of(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Those of ``model`` on its device, in evaluation mode and float32; its mode stays."""
    placed = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    with torch.no_grad(), torch.autocast(model.device.type, enabled=False), _evaluating(model):
        return model(**placed).logits.float()


def difference(expected: Tensor, found: Tensor) -> float:
    """The largest difference; raises `ExportMismatch` where the shapes differ."""
    if expected.shape != found.shape:
        raise ExportMismatch(
            f"the logits have the shape {tuple(expected.shape)}, and {tuple(found.shape)} loaded again"
        )
    return float((expected - found).abs().max())


def prove(expected: Sequence[Tensor], found: Sequence[Tensor]) -> float:
    """Return the largest difference of two lists of logits.

    Raises:
        ExportMismatch: it is more than rounding explains, or a logit is no number.
    """
    largest = 0.0
    for one, other in zip(expected, found, strict=True):
        apart, allowed = difference(one, other), max(ABSOLUTE, RELATIVE * float(one.abs().max()))
        if not apart <= allowed:  # also where it is not a number
            raise ExportMismatch(f"the logits differ by {apart:.3g} from the checkpoint's, more than {allowed:.3g}")
        largest = max(largest, apart)
    return largest


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
