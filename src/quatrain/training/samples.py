"""What the model says to the same few held-out examples at each validation."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import FSDPStrategy
from pytorch_lightning.utilities.seed import isolate_rng

from quatrain.core.errors import UserError
from quatrain.tasks import TASKS
from quatrain.tasks.samples import Question, answers, questions

Row = dict[str, Any]

log = logging.getLogger("quatrain.run")


class Samples(Callback):
    """Asks the model about the first examples of the first validation set, the same ones whenever a validation ends.

    A row for each: ``step``, ``epoch``, ``number`` (from 0), and ``shown``, ``said``, ``probability`` (or None) and
    ``right`` of a `quatrain.tasks.samples.Sample`. On rank 0 the rows of a validation go to ``write`` and to the
    ``log_samples`` of each logger that has it. Lightning's sanity check gives none, and nor do weights that are shared
    out among the ranks (FSDP).

    The training is what it would be without it: no random number is drawn, all modes are as before, nothing is
    compiled anew, and the clock of the throughput rests. A model that cannot be asked is told once in the log, and is
    asked no more.

    Args:
        count: how many examples are asked about.
        new_tokens: most tokens that a causal LM goes on for.
        write: takes the rows of each validation.
    """

    def __init__(
        self,
        *,
        count: int = 4,
        new_tokens: int = 24,
        write: Callable[[Sequence[Row]], None] | None = None,
    ) -> None:
        for name, value in (("count", count), ("new_tokens", new_tokens)):
            if value < 1:
                raise UserError(f"callbacks.samples.{name}={value} is below 1; callbacks.samples=null asks nothing.")
        self.count, self.new_tokens, self.write = count, new_tokens, write
        self._asked: list[Question] | None = None
        self._failed = False

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first examples of the first batch; later validations begin with it too, and are not read for it."""
        if self._asked is None and batch_idx == dataloader_idx == 0 and self._listens(trainer):
            self._asked = []
            self._try(lambda: self._keep(trainer, pl_module, batch))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ask, before a checkpoint of this moment is written."""
        if not self._asked or not self._listens(trainer):
            return
        rows: list[Row] = []
        with isolate_rng():
            self._try(lambda: rows.extend(self._rows(trainer, pl_module)))
        takers = [self.write] if self.write else []
        takers += [logger.log_samples for logger in trainer.loggers if hasattr(logger, "log_samples")]
        for take in takers if rows else []:
            take(rows)

    def _listens(self, trainer: pl.Trainer) -> bool:
        fits = trainer.state.fn == "fit" and not trainer.sanity_checking and trainer.is_global_zero
        return fits and not self._failed and not isinstance(trainer.strategy, FSDPStrategy)

    def _keep(self, trainer: pl.Trainer, task: pl.LightningModule, batch: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if name := _task_of(task):
            self._asked = questions(name, batch, data.tokenizer, self.count)

    def _rows(self, trainer: pl.Trainer, task: pl.LightningModule) -> list[Row]:
        name, model = _task_of(task), task.model
        assert name is not None
        assert self._asked is not None
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        with _uncompiled(model), trainer.precision_plugin.forward_context():
            said = answers(
                name,
                model,
                data.tokenizer,
                self._asked,
                label_names=getattr(data, "label_names", None),
                new_tokens=self.new_tokens,
            )
        place = {"step": trainer.global_step, "epoch": trainer.current_epoch}
        return [{**place, "number": number, **asdict(sample)} for number, sample in enumerate(said)]

    def _try(self, act: Callable[[], None]) -> None:
        """``act``; what it raises, such as a lack of memory, may not end a training that has no need of it."""
        try:
            act()
        except Exception as error:
            self._failed = True
            log.warning("No samples are taken: %s: %s", type(error).__name__, " ".join(str(error).split()))


def _task_of(task: pl.LightningModule) -> str | None:
    return next((name for name, kind in TASKS.items() if isinstance(task, kind)), None)


def _uncompiled(model: Any) -> Any:
    """A context in which a compiled model runs as it is written: other shapes would have it compiled again."""
    compiled = getattr(model, "_compiled_call_impl", None) is not None
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()
