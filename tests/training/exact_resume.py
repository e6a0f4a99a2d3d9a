"""A small training of any of the three tasks, that can be stopped anywhere and gone on with: for the tests of it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import Callback

from quatrain.config.compose import compose
from quatrain.training.checkpoint_files import Saved, saved_in
from quatrain.training.experiment import assemble, assemble_trainer, choose
from quatrain.training.preemption import Stopped, StopRequest
from quatrain.training.resume import find_start
from quatrain.training.seeding import seed_everything

SMALL = (
    "data.verse_size=40",
    "data.batch_size=4",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "speed.precision=32-true",
    "schedule.warmup=3",
    "callbacks.checkpoints.every_n_steps=1",
    "callbacks.checkpoints.keep=1000",
)
ENCODER = (
    "model.config.hidden_size=16",
    "model.config.num_hidden_layers=2",
    "model.config.num_attention_heads=2",
    "model.config.intermediate_size=32",
    "model.config.hidden_dropout_prob=0.1",
    "model.config.attention_probs_dropout_prob=0.1",
)
DECODER = (
    "model.config.n_embd=16",
    "model.config.n_layer=2",
    "model.config.n_head=2",
    "model.config.resid_pdrop=0.1",
    "model.config.embd_pdrop=0.1",
    "model.config.attn_pdrop=0.1",
)
TASKS = {
    "masked_lm": ("experiment=quick_sonnets", "data.max_length=16", "data.bucketing=true", *ENCODER),
    "causal_lm": ("experiment=quick_windows", "data.max_length=32", *DECODER),
    "classification": ("experiment=quick_mrpc", "data.bucketing=true", *ENCODER),
}

Row = dict[str, int | float]


@dataclass
class Run:
    """What a training left: its rows of metrics, its samples, its last weights, and whether a signal ended it."""

    rows: list[Row]
    said: list[dict[str, Any]]
    weights: dict[str, torch.Tensor]
    stopped: Stopped | None
    folder: Path

    @property
    def checkpoints(self) -> list[Saved]:
        return saved_in(self.folder / "checkpoints")[::-1]

    def answers(self, after: int) -> list[dict[str, Any]]:
        """What the model said after a step."""
        return [row for row in self.said if row["step"] > after]

    def scores(self, after: int = -1) -> dict[tuple[int, str], str]:
        """Every loss and score after a step, as the bits that they are."""
        return {
            (int(row["step"]), name): f"{float(value).hex()} in epoch {row['epoch']}"
            for row in self.rows
            for name, value in row.items()
            if row["step"] > after and (name.startswith("val") or name in ("train/loss", "train/lr", "train/grad_norm"))
        }


class At(Callback):
    """Calls ``act`` the ``count``-th time that ``hook`` is called."""

    def __init__(self, hook: str, count: int, act: Callable[[], None]) -> None:
        self.left = count
        setattr(self, hook, lambda *_, **__: self._call(act))

    def _call(self, act: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0:
            act()


def config_of(task: str, *overrides: str) -> dict[str, Any]:
    return compose([*TASKS[task], *SMALL, *overrides])


def train(
    config: dict[str, Any], folder: Path, stop_at: tuple[str, int] | None = None, also: Callback | None = None
) -> Run:
    """Train, or go on with what lies in ``folder``; ``stop_at``: the hook, and its how-many-th call, of a signal.

    ``also`` is called before all other callbacks.
    """
    rows: list[Row] = []
    said: list[dict[str, Any]] = []
    stop = StopRequest()
    stop.listen = lambda: None  # type: ignore[method-assign]
    choices = choose(config)
    start = find_start(folder / "checkpoints", lambda sentence: None)
    experiment = assemble(config, choices, schedule_steps=start.schedule_steps if start else None)
    trainer, _ = assemble_trainer(
        config, choices, folder, rows.append, experiment.data.monitor, stop, write_samples=said.extend
    )
    if stop_at:
        trainer.callbacks.insert(0, At(*stop_at, lambda: setattr(stop, "number", 15)))  # type: ignore[attr-defined]
    if also:
        trainer.callbacks.insert(0, also)  # type: ignore[attr-defined]
    stopped = None
    seed_everything(config["seed"])
    try:
        trainer.fit(experiment.task, datamodule=experiment.data, ckpt_path=str(start.saved.path) if start else None)
    except Stopped as error:
        stopped = error
    weights = {name: value.clone() for name, value in experiment.task.state_dict().items()}
    return Run(rows, said, weights, stopped, folder)


def only(saved: Saved, folder: Path) -> Path:
    """A run's folder that holds nothing but one checkpoint."""
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copy(saved.path, folder / "checkpoints" / saved.path.name)
    return folder
