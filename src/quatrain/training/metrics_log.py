"""Rows of numbers as the training goes on, handed to a callable."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from quatrain.models.flops import ModelFlops, model_flops
from quatrain.training.clock import Clock, listen
from quatrain.training.pace import RATES, Totals
from quatrain.training.peak import device_peak

Row = dict[str, int | float]

HELD_OUT = ("val/", "val_")
"""How names of validation scores begin: of the one validation set, or of several by their names."""


class MetricsLog(Callback):
    """Hands rows to ``write`` on rank 0, and counts what is trained in how many seconds of pure training on every rank.

    A training row comes at each ``trainer.log_every_n_steps``-th optimizer step, once: ``step`` (optimizer steps
    taken), ``epoch`` (counted from 0), what the task holds in ``last_step`` as ``train/...``, ``train/lr`` (the largest
    of the groups, as that step used it), ``train/tokens`` since the beginning, and since the row before:
    ``train/tokens_per_second``, ``train/flops_per_second`` (the model's, see `quatrain.models.flops.ModelFlops`),
    ``train/mfu`` (its share of the devices' measured peak) and ``train/data_wait`` (the share of the time in which a
    batch was waited for). What is unknown is left out. A validation row comes when a validation ended: ``step``,
    ``epoch`` and all ``val/...`` (``val_NAME/...`` where there are several sets).

    ``last_step`` is the task's mapping of names, with or without ``train/``, to numbers or tensors of one number after
    each optimizer step; its ``tokens``, ``examples`` and ``scored`` count that step over all ranks. Tensors are read
    only when a row is written, so that a GPU is not waited for.

    Args:
        write: takes each row.
        tell: hears how the device's peak was measured, after the first step. Without it there is no ``train/mfu``.
    """

    def __init__(self, write: Callable[[Row], None], *, tell: Callable[[str], None] | None = None) -> None:
        self.write = write
        self.tell = tell
        self.clock = Clock()
        self._counts: dict[str, Any] = dict.fromkeys(("tokens", "examples", "scored", "attended"), 0)
        self._flops: ModelFlops | None = None
        self._peak: float | None = None
        self._looked = False
        self._listened = False
        self._step = 0
        self._lr: float | None = None
        self._reported = Totals()

    @property
    def totals(self) -> Totals:
        """All that was trained, over all ranks, and the seconds that it took this one; waits for the device."""
        counts = {name: _number(value) for name, value in self._counts.items()}
        return Totals(**counts, seconds=self.clock.seconds, waited=self.clock.waited)

    @property
    def tokens(self) -> int:
        """Tokens that were trained on, over all ranks."""
        return int(_number(self._counts["tokens"]))

    @property
    def examples(self) -> int:
        """Examples that were trained on, over all ranks."""
        return int(_number(self._counts["examples"]))

    @property
    def seconds(self) -> float:
        """Seconds of training, without validation, checkpoints and start-up."""
        return self.clock.seconds

    @property
    def rates(self) -> dict[str, float]:
        """Of the whole training, as in a row without ``train/``; what is unknown is left out."""
        return self._rates(self.totals)

    def speed(self) -> dict[str, int | float | None]:
        """Seconds, tokens and the rates of the whole training; None where one is unknown."""
        totals = self.totals
        rates = dict.fromkeys(RATES) | self._rates(totals)
        return {"seconds": totals.seconds, "tokens": int(totals.tokens), **rates}

    def state_dict(self) -> dict[str, Any]:
        """The counts, to go on from."""
        return asdict(self.totals)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._reported = Totals(**state_dict)
        self._counts = {name: state_dict.get(name, 0) for name in self._counts}
        self.clock.set(self._reported.seconds, self._reported.waited)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Know the model's arithmetic while its weights are whole, and hear when a batch is waited for."""
        if stage == "fit":
            model: Any = getattr(pl_module, "model", None)
            self._flops = model_flops(model, model.config.to_dict()) if hasattr(model, "config") else None
            self._listened = listen(trainer, self.clock)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Steps before this one were reported before."""
        self._step = trainer.global_step

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The clock runs from the first batch on."""
        self.clock.run()

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
        self._add(last)
        self._measure_peak(trainer, pl_module)
        if trainer.is_global_zero and self._step % _interval(trainer) == 0:
            self.write(self._training_row(trainer, last))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock rests until the next training batch."""
        self.clock.rest()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock rests until the next training batch."""
        self.clock.rest()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the scores."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        scores = {name: _number(value) for name, value in trainer.callback_metrics.items() if name.startswith(HELD_OUT)}
        if scores:
            self.write(_place(trainer) | scores)

    def _add(self, last: dict[str, Any]) -> None:
        tokens, examples = last.pop("tokens", 0), last.pop("examples", 0)
        step = {"tokens": tokens, "examples": examples, "scored": last.get("scored", 0)}
        if isinstance(examples, Tensor) or examples:
            step["attended"] = tokens * tokens / examples
        for name, value in step.items():
            self._counts[name] = self._counts[name] + value

    def _measure_peak(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Once, where it is of use; every rank at the same moment, as they share what they compute on."""
        if self._looked or self._flops is None or self.tell is None:
            return
        self._looked = True
        self.clock.rest()
        peak = device_peak(pl_module.device, trainer.precision, processes=trainer.world_size)
        if peak is not None:
            self._peak = peak.flops_per_second * trainer.world_size
            self.tell(str(peak))

    def _training_row(self, trainer: pl.Trainer, last: dict[str, Any]) -> Row:
        row = _place(trainer) | {f"train/{name}": _number(value) for name, value in last.items()}
        if self._lr is not None:
            row.setdefault("train/lr", self._lr)
        totals = self.totals
        if totals.tokens:
            row["train/tokens"] = int(totals.tokens)
        rates = self._rates(totals.since(self._reported))
        self._reported = totals
        return row | {f"train/{name}": value for name, value in rates.items()}

    def _rates(self, totals: Totals) -> dict[str, float]:
        return totals.rates(self._flops, self._peak, listened=self._listened)


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
