"""Scores of a classification or a regression over a whole held-out set.

Predictions and labels are kept (a few bytes an example) and scored once at the end, so that no score is an average of
batches; F1 and correlations are no averages of anything. Nothing here is a module: nothing enters a checkpoint.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import functional as scores

from quatrain.tasks.reduction import gather_over_ranks


class Predictions:
    """What was predicted and what was right, collected batch by batch on each rank."""

    def __init__(self) -> None:
        self._pairs: list[Tensor] = []

    def add(self, predicted: Tensor, labels: Tensor) -> None:
        """Keep both, [batch] each: classes, or scores of a regression. Only examples that are scored belong here."""
        self._pairs.append(torch.stack([predicted.detach(), labels.to(predicted.dtype)], dim=1))

    def gather(self, device: torch.device, regression: bool) -> tuple[Tensor, Tensor]:
        """Predictions and labels of all ranks, [examples] each; every rank must call this."""
        dtype = torch.float32 if regression else torch.int64
        pairs = torch.cat(self._pairs) if self._pairs else torch.empty((0, 2), dtype=dtype, device=device)
        predicted, labels = gather_over_ranks(pairs).unbind(dim=1)
        return predicted, labels


def score(name: str, predicted: Tensor, labels: Tensor, num_labels: int) -> float:
    """The metric ``name`` of classes or scores ``predicted`` against ``labels``, [examples] each, at least one."""
    return float(_SCORES[name](predicted, labels, num_labels))


def _accuracy(predicted: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    return (predicted == labels).double().mean()


def _f1(predicted: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    """F1 of class 1 where there are two classes, else the mean over the classes that occur."""
    if num_labels == 2:
        return scores.f1_score(predicted, labels, task="binary")
    return scores.f1_score(predicted, labels, task="multiclass", num_classes=num_labels, average="macro")


def _matthews(predicted: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    """0 where either side is constant, as for the correlations; torchmetrics gives a number there, of two classes."""
    if predicted.unique().numel() < 2 or labels.unique().numel() < 2:
        return torch.zeros(())
    return scores.matthews_corrcoef(predicted, labels, task="multiclass", num_classes=num_labels)


def _pearson(predicted: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    return _correlation(scores.pearson_corrcoef, predicted, labels)


def _spearman(predicted: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    return _correlation(scores.spearman_corrcoef, predicted, labels)


def _correlation(measure: Callable[[Tensor, Tensor], Tensor], predicted: Tensor, labels: Tensor) -> Tensor:
    """0 where either side is constant: the coefficient is undefined there, and nothing has been learnt."""
    if predicted.unique().numel() < 2 or labels.unique().numel() < 2:
        return torch.zeros(())
    wide = torch.float32 if predicted.device.type == "mps" else torch.float64
    return measure(predicted.to(wide), labels.to(wide))


_SCORES: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
}
