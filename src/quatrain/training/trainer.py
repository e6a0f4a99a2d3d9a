"""Lightning's Trainer, as every run of ours has it."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback, Checkpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.strategies import DDPStrategy
from torch import distributed

from quatrain.core.errors import UserError
from quatrain.training.checkpoint_files import WholeCheckpoints
from quatrain.training.loop_state import restart_by_epochs
from quatrain.training.progress import Progress

RANK_TIMEOUT = timedelta(minutes=30)
"""How long a rank waits for the others, who may be preparing data, before it fails instead of hanging."""

NOT_FOR_USERS = (
    ".*does not have many workers.*",  # on a CPU there is nothing to win
    ".*smaller than the logging interval.*",  # short runs are common, and the last step is logged by us
    ".*exists and is not empty.*",
    ".*`srun` command is available.*",
    ".*have no `val_dataloader`.*",  # a corpus may be trained on whole
    ".*across ranks is zero.*",  # its list of validation loaders is empty then
    ".*LeafSpec.*is deprecated.*",
)
"""Warnings about what we chose on purpose, or about what Lightning itself should mend."""


def build_trainer(
    arguments: Mapping[str, Any],
    *,
    callbacks: Sequence[Callback],
    loggers: Sequence[Logger],
    folder: Path,
) -> pl.Trainer:
    """Build the Trainer from Lightning's own argument names and values.

    ``arguments`` are handed on as they are, except that: samplers stay ours, as they know the ranks; nothing is printed
    and no checkpoint, progress bar or logger comes of itself; checkpoints are written whole (`WholeCheckpoints`);
    ``ddp`` and several devices under ``auto`` become a `DDPStrategy` that sends no buffers, keeps one set of
    gradients and gives up after `RANK_TIMEOUT`; and the last step is followed by a validation (`ValidateAtEnd`).

    Raises:
        UserError: Lightning refuses the arguments.
    """
    _quiet_lightning()
    own = dict(arguments)
    own["use_distributed_sampler"] = False
    own["enable_model_summary"] = False
    own["enable_checkpointing"] = any(isinstance(callback, Checkpoint) for callback in callbacks)
    if not own.get("enable_progress_bar") or any(isinstance(callback, Progress) for callback in callbacks):
        own["enable_progress_bar"] = False
    own["logger"] = list(loggers) or False
    own["default_root_dir"] = str(folder)
    own["strategy"] = _strategy(own)
    if overfit := own.pop("overfit_batches", 0):  # Lightning's own way would put another sampler in place of ours
        own["limit_train_batches"] = own["limit_val_batches"] = overfit
    own["plugins"] = [*_listed(own.get("plugins")), WholeCheckpoints()]
    if SLURMEnvironment.detect():  # Lightning would save in the midst of a step, and queue the job a second time
        own["plugins"].append(SLURMEnvironment(auto_requeue=False))
    try:
        trainer = pl.Trainer(callbacks=[*callbacks, ValidateAtEnd()], **own)
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"trainer: Lightning refuses its arguments: {' '.join(str(error).split())}") from error
    restart_by_epochs(trainer)
    return trainer


class ValidateAtEnd(Callback):
    """Has the last of ``trainer.max_steps`` followed by a validation, where Lightning ends in the midst of an epoch.

    Without it the last scores of a run would belong to an earlier step, or to none.
    """

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Ask for the stop through the door that validates first."""
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True


def _strategy(arguments: Mapping[str, Any]) -> Any:
    name = arguments.get("strategy", "auto")
    several = ranks(arguments.get("devices", 1), arguments.get("num_nodes") or 1) > 1
    if name in ("ddp", "ddp_find_unused_parameters_true") or (name == "auto" and several):
        return DDPStrategy(
            # buffers of our models are constant tables; sending them at each step costs time for nothing
            forward_sync_buffers=False,
            # what is summed over the ranks is the gradient itself: no copy back, and no second set in memory
            gradient_as_bucket_view=True,
            find_unused_parameters=name == "ddp_find_unused_parameters_true",
            process_group_backend="gloo" if arguments.get("accelerator") == "cpu" else None,
            timeout=RANK_TIMEOUT,
        )
    return name


def part(trainer: pl.Trainer) -> None:
    """Wait for the other ranks, and end what connects them: its threads would abort a process that ends with them."""
    trainer.strategy.barrier("the run is concluded")
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def ranks(devices: int | str | Sequence[int], nodes: int = 1) -> float:
    """How many processes ``trainer.devices`` means on all nodes; infinite where only the machine knows (-1, auto)."""
    if isinstance(devices, Sequence) and not isinstance(devices, str):
        return len(devices) * nodes
    text = str(devices)
    if "," in text:
        return len([place for place in text.split(",") if place.strip()]) * nodes
    return int(text) * nodes if text.isdecimal() else (nodes if text == "auto" else math.inf)


def _listed(plugins: Any) -> list[Any]:
    if plugins is None:
        return []
    return list(plugins) if isinstance(plugins, list | tuple) else [plugins]


def _quiet_lightning() -> None:
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("pytorch_lightning.profilers").setLevel(logging.INFO)  # their tables are asked for
    for message in NOT_FOR_USERS:
        warnings.filterwarnings("ignore", message=message)
