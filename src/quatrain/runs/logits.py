"""The logits of a model on sample rows, and how far those of what was made of it may be from them."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from quatrain.runs.export import ExportMismatch

ROUNDINGS = 4
"""How many times the rounding of float32 two ways to compute the same may differ: each has about one."""


def logits_of(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Those of ``model`` on its device, in evaluation mode and float32; its mode stays."""
    placed = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    with torch.no_grad(), torch.autocast(model.device.type, enabled=False), _evaluating(model):
        return model(**placed).logits.float()


def prove(model: Any, inputs: Mapping[str, Tensor], own: Tensor, found: Tensor, tolerance: float) -> float:
    """Return the largest difference of ``found`` from ``own``, the logits of ``model`` on ``inputs``.

    It may be ``tolerance``; or, where ``model`` itself is as far from what it computes in float64, as the large logits
    of a deep or ruined one are, `ROUNDINGS` times that.

    Raises:
        ExportMismatch: it is more, a logit is no number, or the shapes differ.
    """
    if own.shape != found.shape:
        raise ExportMismatch(f"the logits have the shape {tuple(own.shape)}, and {tuple(found.shape)} loaded again")
    apart = _difference(own, found)
    if apart <= tolerance:
        return apart
    allowed = max(tolerance, ROUNDINGS * _difference(_exact(model, inputs), own))
    if not apart <= allowed:  # also where it is not a number
        raise ExportMismatch(f"the logits differ by {apart:.3g} from the checkpoint's, more than {allowed:.3g}")
    return apart


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one.cpu() - other.cpu()).abs().max())


def _exact(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    return logits_of(copy.deepcopy(model).cpu().double(), inputs)


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
