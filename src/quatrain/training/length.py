"""How long a training is, by arithmetic: effective batch, steps of an epoch, steps in all, validations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Length:
    """The length of a training; batches are those of one rank."""

    effective_batch: int
    """Examples of an optimizer step, over all ranks and accumulated batches; their mean where batches are by length."""
    batches_per_epoch: int
    steps_per_epoch: int
    steps: int
    """Optimizer steps in all; 0 where only a time limit ends the training."""
    batches: int
    """Batches in all."""
    validations: int
    validation_batches: int
    """Batches of one validation."""


def training_length(
    trainer: Mapping[str, Any],
    *,
    examples: int,
    batch_size: int,
    ranks: int = 1,
    drop_last: bool = False,
    validation_batches: int = 0,
) -> Length:
    """Count what Lightning will do.

    Args:
        trainer: all of Lightning's arguments that a frozen config holds: max_epochs, max_steps, ...
        examples: training examples of an epoch, over all ranks.
        batch_size: examples of a micro-batch of one rank; the mean where batches are by length, which changes no count.
        ranks: processes that train.
        drop_last: whether an incomplete last batch is left out.
        validation_batches: batches of one rank in all validation sets; 0 without validation.
    """
    accumulated = trainer["accumulate_grad_batches"]
    share = math.ceil(examples / ranks)
    batches = share // batch_size if drop_last else math.ceil(share / batch_size)
    held_out = validation_batches
    if overfit := trainer["overfit_batches"]:
        batches, held_out = _limited(batches, overfit), _limited(held_out, overfit)
    batches = _limited(batches, trainer["limit_train_batches"])
    held_out = 0 if trainer["limit_val_batches"] == 0 else _limited(held_out, trainer["limit_val_batches"])
    fast = int(trainer["fast_dev_run"])
    if fast:
        batches, held_out = min(batches, fast), min(held_out, fast)
    per_epoch = math.ceil(batches / accumulated)
    steps = per_epoch if fast else _steps(trainer, per_epoch)
    epochs, rest = divmod(steps, per_epoch) if per_epoch else (0, 0)
    whole = epochs * batches + min(rest * accumulated, batches)
    validations = 1 if fast else _validations(trainer, batches, epochs, whole)
    return Length(
        effective_batch=batch_size * ranks * accumulated,
        batches_per_epoch=batches,
        steps_per_epoch=per_epoch,
        steps=steps,
        batches=whole,
        validations=validations if held_out else 0,
        validation_batches=held_out,
    )


def _steps(trainer: Mapping[str, Any], per_epoch: int) -> int:
    bounds = []
    if trainer["max_steps"] not in (-1, None):
        bounds.append(trainer["max_steps"])
    if trainer["max_epochs"] not in (-1, None):
        bounds.append(trainer["max_epochs"] * per_epoch)
    return min(bounds, default=0)


def _validations(trainer: Mapping[str, Any], batches: int, epochs: int, whole: int) -> int:
    """Validations after ``whole`` batches, ``epochs`` whole epochs of ``batches`` among them.

    Lightning validates every ``val_check_interval`` batches of every n-th epoch, or without regard to epochs where n is
    null; we besides after the last of ``max_steps``.
    """
    interval, every = trainer["val_check_interval"], trainer["check_val_every_n_epoch"]
    if not whole or isinstance(interval, str | dict):  # an interval of time
        return 1 if whole else 0
    interval = 1.0 if interval is None else interval
    between = max(1, int(batches * interval)) if isinstance(interval, float) else interval
    if every is None:
        regular, ended = whole // between, whole % between == 0
    else:
        rest = whole - epochs * batches
        regular = epochs // every * (batches // between)
        regular += rest // between if (epochs + 1) % every == 0 else 0
        last_epoch = epochs if not rest else epochs + 1
        ended = last_epoch % every == 0 and (rest or batches) % between == 0
    stopped = trainer["max_steps"] not in (-1, None) and not ended
    return regular + stopped


def _limited(batches: int, limit: int | float | None) -> int:
    """Lightning's limits: an int is a number of batches, a float a share of them; 0 and null set no limit here."""
    if not limit:
        return batches
    return int(batches * limit) if isinstance(limit, float) else min(batches, limit)
