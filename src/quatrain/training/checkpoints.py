"""When checkpoints are written, and in which state: the best, the last few, and one more when the run is stopped."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from quatrain.core.errors import UserError
from quatrain.training.agreement import Agreement
from quatrain.training.checkpoint_files import (
    BEST,
    LAST,
    Saved,
    WholeCheckpoints,
    keep_newest,
    second_name,
    take_name,
    whole_of_step,
)
from quatrain.training.guards import StopAtNonFinite
from quatrain.training.loop_state import at_step_end, batches_are_smaller, epochs_done, validation_to_come
from quatrain.training.metrics_log import HELD_OUT
from quatrain.training.preemption import Stopped, StopRequest

OWN = "quatrain"
"""Where in a checkpoint this class keeps what is not Lightning's."""

WRITING = ".writing.ckpt.tmp"


class Checkpoints(Checkpoint):
    """Keeps the best checkpoint by a validation score and the last ones, and stops the run when it is asked to.

    Written after each validation, every ``every_n_steps`` optimizer steps, every ``every_minutes``, when training ends,
    and when a signal asks for a stop; always between two optimizer steps, so that a run that goes on from one repeats
    no part of a step. Files: the last ``keep`` as ``step-STEP-SHA.ckpt``, ``last.ckpt`` and ``best.ckpt``, which are
    second names of these where the file system can. Without validation, without ``monitor`` and under ``fast_dev_run``
    there is no best. A score that is not a number is never the best. All ranks decide as one.

    Args:
        folder: where the files go.
        monitor: the score, as the task logs it, such as ``val/loss``.
        mode: whether a smaller or a larger score is better.
        every_n_steps: optimizer steps from one checkpoint to the next; None: none of this kind.
        every_minutes: minutes since the checkpoint before, by a clock that no one can set back; None: none.
        keep: how many of the last are kept; 0: nothing is ever written.
        stop: what signals ask.
        before_saving: called on rank 0 before a checkpoint gets its name, to have what belongs to it on the disk.
    """

    def __init__(
        self,
        *,
        folder: str,
        monitor: str | None = "val/loss",
        mode: Literal["min", "max"] = "min",
        every_n_steps: int | None = None,
        every_minutes: float | None = 10.0,
        keep: int = 2,
        stop: StopRequest | None = None,
        before_saving: Callable[[], None] | None = None,
    ) -> None:
        if mode not in ("min", "max"):
            raise UserError(f"callbacks.checkpoints.mode={mode} must be min or max.")
        for name, value, least in (("every_n_steps", every_n_steps, 1), ("every_minutes", every_minutes, 0)):
            if value is not None and value < least:
                raise UserError(f"callbacks.checkpoints.{name}={value} is below {least}; null turns it off.")
        if keep < 0:
            raise UserError(f"callbacks.checkpoints.keep={keep} is below 0; 2 keeps the last two.")
        self.folder = Path(folder)
        self.monitor, self.mode = monitor, mode
        self.every_n_steps, self.every_minutes, self.keep = every_n_steps, every_minutes, keep
        self.stop = stop or StopRequest()
        self.before_saving = before_saving
        self.best_score: float | None = None
        self.best_step: int | None = None
        self._agreement = Agreement()
        self._step = 0
        self._saved_step = -1
        self._saved_at = time.monotonic()
        self._validated = False
        self._validation_to_come = False
        self._at_epoch_end = False

    def best(self) -> Saved | None:
        """The best checkpoint, whole; None where there is none, or none any more."""
        return None if self.best_step is None or not self.keep else whole_of_step(self.folder, self.best_step)

    @property
    def best_model_path(self) -> str:
        """The best checkpoint under Lightning's name, for ``ckpt_path="best"``; the last where there is no best."""
        best, last = self.best(), self.folder / LAST
        return str(best.path if best else last if last.exists() else "")

    def state_dict(self) -> dict[str, Any]:
        """The best so far; the folder is left out, so that a run directory can be moved."""
        return {"best_score": self.best_score, "best_step": self.best_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best_score, self.best_step = state_dict["best_score"], state_dict["best_step"]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note what a resumed run must know before it builds anything."""
        if self._validation_to_come:
            validation_to_come(checkpoint["loops"]["fit_loop"])
        checkpoint[OWN] = {
            "schedule_steps": getattr(pl_module, "schedule_steps", None),
            "ended_early": bool(trainer.should_stop) and not _reached_the_end(trainer),
            "length": [trainer.max_epochs, trainer.max_steps],
            "epochs": epochs_done(trainer),
            "accumulated": trainer.accumulate_grad_batches,
            "best_step": self.best_step,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Stay at an early end, unless more was asked for; count in smaller batches, if memory has made them so."""
        own = checkpoint[OWN]
        if own["ended_early"] and own["length"] == [trainer.max_epochs, trainer.max_steps]:
            trainer.should_stop = True
        if (times := trainer.accumulate_grad_batches // own["accumulated"]) > 1:
            batches_are_smaller(checkpoint["loops"]["fit_loop"], times)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From now on signals wait for the step's end."""
        self._step = self._saved_step = trainer.global_step
        self._saved_at = time.monotonic()
        latest, earliest = self._agreement.largest(trainer.global_step, -trainer.global_step)
        if latest != -earliest:
            raise UserError(
                f"The ranks found checkpoints of different steps, from {-earliest} to {latest}: they do not see the"
                " same files. Start again when the file system has come to rest."
            )
        self.stop.listen()
        self.stop.deferred = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """After an optimizer step: stop where that was asked for, save where it is due."""
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        stop, due = self._agreement.largest(self.stop.number, self._due())
        ends = trainer.should_stop or _reached_the_end(trainer)
        place = at_step_end(trainer)
        if place == "epoch ends":  # a moment later all of the epoch is done
            self._at_epoch_end = bool(due or ends)
        elif stop and not ends:
            self._stop(trainer, stop, validation_to_come=place == "validation comes")
        elif place == "midst" and (due or ends):
            self._save(trainer)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """A stop does not wait for a long validation: it is done again when the run goes on."""
        if trainer.sanity_checking or trainer.state.fn != "fit" or trainer.should_stop or _reached_the_end(trainer):
            return
        if stop := self._agreement.largest(self.stop.number)[0]:
            self._stop(trainer, stop, validation_to_come=True)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after a validation within an epoch; one at an epoch's end waits for the end, to resume after it."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._validated = True
        if not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after the epoch where it was validated, where nothing is ever validated, and where that is due."""
        if self._validated or self._at_epoch_end or not _validates(trainer):
            self._save(trainer)
        self._at_epoch_end = False
        stop = self._agreement.largest(self.stop.number)[0]
        if stop and not trainer.should_stop and not trainer.fit_loop.done:
            self._stop(trainer, stop)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """All is trained and saved; what follows is short, and a signal ends it at once."""
        self.stop.deferred = False
        _judge_now(trainer)
        if stop := self._agreement.largest(self.stop.number)[0]:  # it came too late for a step
            raise Stopped(stop, saved=self.keep > 0)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Nothing is left to agree on."""
        self._agreement.close()

    def _due(self) -> bool:
        by_steps = self.every_n_steps is not None and self._step % self.every_n_steps == 0
        minutes = (time.monotonic() - self._saved_at) / 60
        return by_steps or (self.every_minutes is not None and minutes >= self.every_minutes)

    def _stop(self, trainer: pl.Trainer, number: int, *, validation_to_come: bool = False) -> None:
        if whole := not _within_a_step(trainer):
            self._validation_to_come = validation_to_come
            self._save(trainer)
        raise Stopped(number, saved=whole and self.keep > 0)

    def _save(self, trainer: pl.Trainer) -> None:
        """Write a checkpoint, unless this step has one already and is not the best."""
        step = trainer.global_step
        improved = self._validated and self._improves(trainer)
        again = step == self._saved_step and not self._validated
        self._validated = False
        if not self.keep or again or (_within_a_step(trainer) and not improved):
            return
        _judge_now(trainer)
        self._saved_step, self._saved_at = step, time.monotonic()
        trainer.save_checkpoint(self.folder / WRITING)
        if trainer.is_global_zero:
            self._name(trainer, improved)
        trainer.strategy.barrier("the checkpoint is written")
        self._validation_to_come = False

    def _name(self, trainer: pl.Trainer, improved: bool) -> None:
        """Give what was written its names, the lasting one first."""
        io = trainer.strategy.checkpoint_io
        assert isinstance(io, WholeCheckpoints)
        if self.before_saving:
            self.before_saving()
        saved = take_name(self.folder / WRITING, trainer.global_step, io.digest, resumable=not _within_a_step(trainer))
        if improved:
            second_name(saved.path, self.folder / BEST)
        if saved.resumable:
            second_name(saved.path, self.folder / LAST)
            keep_newest(self.folder, saved, self.keep, best_step=self.best_step)

    def _improves(self, trainer: pl.Trainer) -> bool:
        """Whether the validation that just ended is the best; then it is remembered. All ranks decide as one."""
        if self.monitor is None or getattr(trainer, "fast_dev_run", False):
            return False
        metrics = trainer.callback_metrics
        if self.monitor not in metrics:
            scores = ", ".join(sorted(name for name in metrics if name.startswith(HELD_OUT))) or "nothing"
            raise UserError(
                f"callbacks.checkpoints.monitor={self.monitor} is not logged; the validation logs {scores}."
            )
        score = float(metrics[self.monitor])
        better = not math.isnan(score) and (
            self.best_score is None or (score < self.best_score if self.mode == "min" else score > self.best_score)
        )
        better = trainer.strategy.reduce_boolean_decision(better, all=True)
        if better:
            self.best_score, self.best_step = score, trainer.global_step
        return better


def checkpoints_of(trainer: pl.Trainer) -> Checkpoints:
    """The run's own `Checkpoints`, whatever other callbacks save checkpoints too."""
    return next(one for one in trainer.callbacks if isinstance(one, Checkpoints))  # type: ignore[attr-defined]


def _reached_the_end(trainer: pl.Trainer) -> bool:
    return 0 <= trainer.max_steps <= trainer.global_step


def _judge_now(trainer: pl.Trainer) -> None:
    """End the run where the last step was not finite, before anything is saved of it."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, StopAtNonFinite):
            callback.judge_now(trainer)


def _within_a_step(trainer: pl.Trainer) -> bool:
    """Whether gradients of a step that is not complete are held."""
    return trainer.fit_loop._should_accumulate()


def _validates(trainer: pl.Trainer) -> bool:
    """Whether this training is validated at all."""
    batches = trainer.num_val_batches
    return trainer.enable_validation and bool(sum(batches) if isinstance(batches, list) else batches)
