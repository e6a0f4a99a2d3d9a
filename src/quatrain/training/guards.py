"""Guards in flight: a loss or a gradient that is not a number ends the run before anything is saved of it."""

import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor, distributed

from quatrain.core.errors import UserError
from quatrain.tasks.reduction import ranks
from quatrain.training.metrics_log import last_step

SHOWN = 8
"""Example ids that a sentence lists."""


class StopAtNonFinite(Callback):
    """Ends the training where the loss or the gradient norm of an optimizer step is infinite or not a number.

    On a CPU that is known at the step itself; elsewhere the numbers are read one step late, so that the device is not
    waited for, and always before a checkpoint is written (`judge_now`). Under float16's loss scaling an
    infinite gradient is skipped by the scaler and only the loss counts. Stands before the checkpoints in the Trainer's
    list of callbacks.
    """

    def __init__(self) -> None:
        self._step = 0
        self._batches: list[tuple[Any, Any]] = []
        self._waiting: tuple[dict[str, Any], list[tuple[Any, Any]], int] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Steps before this one were judged before."""
        self._step = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Judge an optimizer step that this batch completed, or the one before it."""
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self._batches.append((batch.get("example_ids") if isinstance(batch, dict) else None, loss))
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        told = (last_step(pl_module), self._batches, self._step)
        self._batches = []
        due, self._waiting = (told, None) if pl_module.device.type == "cpu" else (self._waiting, told)
        if due is not None:
            _judge(trainer, *due)

    def judge_now(self, trainer: pl.Trainer) -> None:
        """Judge a step that still waits for it; a checkpoint is about to be written."""
        if self._waiting is not None:
            due, self._waiting = self._waiting, None
            _judge(trainer, *due)


def _judge(trainer: pl.Trainer, told: dict[str, Any], batches: list[tuple[Any, Any]], step: int) -> None:
    scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
    for name, words in (("loss", "loss"), ("grad_norm", "norm of the gradients")):
        value = float(told.get(name, 0.0))
        if name == "loss" and math.isnan(value) and not float(told.get("scored", 1)):
            continue  # nothing was scored in this step, so there is no mean; its gradients are zero
        if math.isfinite(value) or (scaled and name == "grad_norm"):
            continue
        rate = float(told.get("lr", math.nan))
        raise UserError(
            f"The {words} of step {step} is {value}, at learning rate {rate:.3g}, with the examples"
            f" {_examples(batches)}; checkpoints before it are kept. Lower optimizer.lr, lengthen schedule.warmup, set"
            " trainer.gradient_clip_val, look at these examples, or try trainer.precision=32-true."
        )


def _examples(batches: list[tuple[Any, Any]]) -> str:
    """The examples of the micro-batches whose own loss is not finite; of all of them where each is; on all ranks."""
    bad = [ids for ids, loss in batches if loss is None or not math.isfinite(float(loss))]
    ids = [one for kept in (bad or [ids for ids, _ in batches]) if isinstance(kept, Tensor) for one in kept.tolist()]
    # a negative id is a row again that evens out the ranks
    mine = (bool(bad), sorted({one if one >= 0 else -1 - one for one in ids}))
    told = [mine] * ranks()
    if ranks() > 1:
        distributed.all_gather_object(told, mine)
    if any(found for found, _ in told):
        told = [one for one in told if one[0]]
    every = sorted({one for _, found in told for one in found})
    rest = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(map(str, every[:SHOWN])) + rest if every else "unknown"
