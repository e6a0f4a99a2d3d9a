"""How long a training is, by arithmetic: effective batch, steps of an epoch, steps in all."""

import math
from collections.abc import Mapping
from typing import Any


def training_length(
    trainer: Mapping[str, Any], *, examples: int, batch_size: int, ranks: int = 1, drop_last: bool = False
) -> dict[str, int]:
    """Return ``effective batch`` (examples of an optimizer step), ``steps per epoch`` and ``optimizer steps``.

    Args:
        trainer: Lightning's arguments: max_epochs, max_steps, accumulate_grad_batches, limit_train_batches, ...
        examples: training examples of an epoch, over all ranks.
        batch_size: examples of a micro-batch of one rank.
        ranks: processes that train.
        drop_last: whether an incomplete last batch is left out.
    """
    accumulated = trainer.get("accumulate_grad_batches") or 1
    share = examples / ranks if drop_last else math.ceil(examples / ranks)
    batches = int(share // batch_size) if drop_last else math.ceil(share / batch_size)
    for limit in ("limit_train_batches", "overfit_batches"):
        batches = _limited(batches, trainer.get(limit))
    steps_per_epoch = math.ceil(batches / accumulated)
    if fast := trainer.get("fast_dev_run"):
        batches = min(batches, int(fast))
        steps_per_epoch = math.ceil(batches / accumulated)
        return _length(batch_size * ranks * accumulated, steps_per_epoch, steps_per_epoch)
    bounds = []
    if (steps := trainer.get("max_steps", -1)) not in (-1, None):
        bounds.append(steps)
    if (epochs := trainer.get("max_epochs")) not in (-1, None):
        bounds.append(epochs * steps_per_epoch)
    return _length(batch_size * ranks * accumulated, steps_per_epoch, min(bounds, default=0))


def _length(batch: int, per_epoch: int, whole: int) -> dict[str, int]:
    return {"effective batch": batch, "steps per epoch": per_epoch, "optimizer steps": whole}


def _limited(batches: int, limit: int | float | None) -> int:
    """Lightning's limits: an int is a number of batches, a float a share of them; 0 and null set no limit here."""
    if not limit:
        return batches
    return int(batches * limit) if isinstance(limit, float) else min(batches, limit)
