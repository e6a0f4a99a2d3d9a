"""Checkpoints: the best and the last, of tensors and plain values only, written whole."""

import math
import os
import shutil
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from quatrain.core.atomic_files import cannot_write, replaced_whole
from quatrain.core.errors import NotNow, UserError
from quatrain.training.metrics_log import HELD_OUT

BEST = "best.ckpt"
LAST = "last.ckpt"


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints to a temporary file that is flushed and renamed: a crash leaves the one before in place."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike, storage_options: Any = None) -> None:
        """Write ``checkpoint`` to ``path``, streaming.

        Raises:
            NotNow: no space or no access.
        """
        place = Path(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with replaced_whole(place) as temporary:
                _write(checkpoint, temporary)
        except (OSError, NotNow) as error:
            raise cannot_write(place, error) from error

    def load_checkpoint(
        self, path: str | os.PathLike, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; never one that needs code to be run."""
        return torch.load(path, map_location=map_location, weights_only=True)


class BestAndLast(Checkpoint):
    """Keeps ``best.ckpt`` by a validation score and ``last.ckpt``, both after each validation and at the end.

    Without validation, without ``monitor`` and under ``fast_dev_run`` there is only ``last.ckpt``. A score that is not
    a number is never the best. The two files may be one file under two names.

    Args:
        folder: where the files go.
        monitor: the score, as the task logs it, such as ``val/loss``.
        mode: whether a smaller or a larger score is better.
    """

    def __init__(self, *, folder: str, monitor: str | None = "val/loss", mode: Literal["min", "max"] = "min") -> None:
        if mode not in ("min", "max"):
            raise UserError(f"callbacks.checkpoints.mode={mode} must be min or max.")
        self.folder = Path(folder)
        self.monitor = monitor
        self.mode = mode
        self.best_score: float | None = None
        self.best_step: int | None = None
        self._saved_step = -1
        self._validated = False

    @property
    def best_path(self) -> Path | None:
        """The best checkpoint; None before there is one."""
        return self.folder / BEST if self.best_score is not None else None

    @property
    def last_path(self) -> Path | None:
        """The last checkpoint; None before there is one."""
        return self.folder / LAST if (self.folder / LAST).exists() else None

    @property
    def best_model_path(self) -> str:
        """`best_path` under Lightning's name, for ``ckpt_path="best"``; the last where there is no best."""
        path = self.best_path or self.last_path
        return str(path) if path else ""

    def state_dict(self) -> dict[str, Any]:
        """The best so far; the folder is left out, so that a run directory can be moved."""
        return {"best_score": self.best_score, "best_step": self.best_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best_score = state_dict["best_score"]
        self.best_step = state_dict["best_step"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after a validation within an epoch; one at an epoch's end waits for the end, to resume after it."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._validated = True
        if not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after the epoch where it was validated, or where nothing is ever validated."""
        if self._validated or not trainer.enable_validation or not _validation_batches(trainer):
            self._save(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the last state if that has not happened."""
        self._save(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        step = trainer.global_step
        improved = self._validated and self._improves(trainer)
        self._validated = False
        if step == self._saved_step and not improved:
            return
        self._saved_step = step
        if not improved:
            trainer.save_checkpoint(self.folder / LAST)
            return
        trainer.save_checkpoint(self.folder / BEST)
        if trainer.is_global_zero:
            _second_name(self.folder / BEST, self.folder / LAST)
        trainer.strategy.barrier("both checkpoints are written")

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


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        try:
            torch.save(checkpoint, file)
        except RuntimeError as error:
            # torch's writer tells of its own confusion; what the disk said stands behind it
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise OSError(str(error).splitlines()[0]) from error


def _validation_batches(trainer: pl.Trainer) -> float:
    batches = trainer.num_val_batches
    return sum(batches) if isinstance(batches, list) else batches


def _second_name(existing: Path, name: Path) -> None:
    """Make ``name`` hold what ``existing`` holds: the same bytes where the file system can, else a copy.

    Neither file is ever changed in place, so sharing is safe.
    """
    with replaced_whole(name) as temporary:
        try:
            os.link(existing, temporary)
        except OSError:
            shutil.copyfile(existing, temporary)
