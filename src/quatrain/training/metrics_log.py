"""Rows of numbers as the training goes on, handed to a callable."""

import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor

Row = dict[str, int | float]

HELD_OUT = ("val/", "val_")
"""How names of validation scores begin: of the one validation set, or of several by their names."""


class MetricsLog(Callback):
    """Hands rows to ``write`` on rank 0 and counts tokens, examples and seconds of pure training on every rank.

    A training row comes at each ``trainer.log_every_n_steps``-th optimizer step, once: ``step`` (optimizer steps
    taken), ``epoch`` (counted from 0), what the task holds in ``last_step`` as ``train/...``, ``train/lr`` (the largest
    of the groups, as that step used it), ``train/tokens`` since the beginning and ``train/tokens_per_second`` since the
    row before. A validation row comes when a validation ended: ``step``, ``epoch`` and all ``val/...``
    (``val_NAME/...`` where there are several sets).

    ``last_step`` is the task's mapping of names, with or without ``train/``, to numbers or tensors of one number after
    each optimizer step; its ``tokens`` and ``examples`` count that step over all ranks. Tensors are read only when a
    row is written, so that a GPU is not waited for.
    """

    def __init__(self, write: Callable[[Row], None]) -> None:
        self.write = write
        self._tokens: Any = 0
        self._examples: Any = 0
        self._seconds = 0.0
        self._running_since: float | None = None
        self._step = 0
        self._lr: float | None = None
        self._row_tokens = 0
        self._row_seconds = 0.0

    @property
    def tokens(self) -> int:
        """Tokens that were trained on, over all ranks."""
        return int(_number(self._tokens))

    @property
    def examples(self) -> int:
        """Examples that were trained on, over all ranks."""
        return int(_number(self._examples))

    @property
    def seconds(self) -> float:
        """Seconds of training, without validation, checkpoints and start-up."""
        running = 0.0 if self._running_since is None else time.perf_counter() - self._running_since
        return self._seconds + running

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens by seconds of the whole training; None before the first step."""
        return self.tokens / self.seconds if self.tokens and self.seconds else None

    def state_dict(self) -> dict[str, Any]:
        """The counts, to go on from."""
        return {"tokens": self.tokens, "examples": self.examples, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._tokens = self._row_tokens = state_dict["tokens"]
        self._examples = state_dict["examples"]
        self._seconds = self._row_seconds = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Steps before this one were reported before."""
        self._step = trainer.global_step

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The clock runs from the first batch on."""
        if self._running_since is None:
            self._running_since = time.perf_counter()

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Note the learning rate before the schedule moves on."""
        self._lr = max(float(group["lr"]) for group in optimizer.param_groups)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count an optimizer step that this batch completed, and report it when it is due."""
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        last = last_step(pl_module)
        self._tokens = self._tokens + last.pop("tokens", 0)
        self._examples = self._examples + last.pop("examples", 0)
        if trainer.is_global_zero and self._step % _interval(trainer) == 0:
            self.write(self._training_row(trainer, last))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock rests until the next training batch."""
        self._rest()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock rests until the next training batch."""
        self._rest()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the scores."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        scores = {name: _number(value) for name, value in trainer.callback_metrics.items() if name.startswith(HELD_OUT)}
        if scores:
            self.write(_place(trainer) | scores)

    def _training_row(self, trainer: pl.Trainer, last: dict[str, Any]) -> Row:
        row = _place(trainer) | {f"train/{name}": _number(value) for name, value in last.items()}
        if self._lr is not None:
            row.setdefault("train/lr", self._lr)
        tokens, seconds = self.tokens, self.seconds
        if tokens:
            row["train/tokens"] = tokens
            row["train/tokens_per_second"] = (tokens - self._row_tokens) / max(seconds - self._row_seconds, 1e-9)
        self._row_tokens, self._row_seconds = tokens, seconds
        return row

    def _rest(self) -> None:
        self._seconds, self._running_since = self.seconds, None


def last_step(task: pl.LightningModule) -> dict[str, Any]:
    """What the task tells of its last optimizer step, under names without ``train/``; nothing from other modules."""
    told: Any = getattr(task, "last_step", {})
    return {name.removeprefix("train/"): value for name, value in told.items()}


def _interval(trainer: pl.Trainer) -> int:
    return max(1, getattr(trainer, "log_every_n_steps", 1))


def _place(trainer: pl.Trainer) -> Row:
    return {"step": trainer.global_step, "epoch": trainer.current_epoch}


def _number(value: Any) -> int | float:
    plain = value.item() if isinstance(value, Tensor) else value
    return plain if isinstance(plain, int | float) else float(plain)
