"""Proves the arithmetic of a training's length against Lightning itself: the batches, steps and validations of fits."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from quatrain.training.length import training_length
from quatrain.training.trainer import build_trainer

PLAIN: dict[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "accumulate_grad_batches": 1,
    "max_epochs": None,
    "max_steps": -1,
    "limit_train_batches": None,
    "limit_val_batches": None,
    "overfit_batches": 0,
    "fast_dev_run": False,
    "val_check_interval": None,
    "check_val_every_n_epoch": 1,
    "num_sanity_val_steps": 0,
}


class Counting(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.batches = self.validations = self.validation_batches = 0

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        self.batches += 1
        return self.layer(batch[0]).sum()

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        self.validation_batches += 1

    def on_validation_end(self) -> None:
        self.validations += 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_epochs": 2},
        {"max_epochs": 3, "accumulate_grad_batches": 4},
        {"max_steps": 4, "accumulate_grad_batches": 3},
        {"max_steps": 10},
        {"max_steps": 14},
        {"max_epochs": 2, "max_steps": 9, "val_check_interval": 3},
        {"max_epochs": 2, "val_check_interval": 0.25},
        {"max_epochs": 5, "check_val_every_n_epoch": 2},
        {"max_steps": 24, "check_val_every_n_epoch": 2},
        {"max_steps": 17, "check_val_every_n_epoch": None, "val_check_interval": 5},
        {"max_epochs": 2, "limit_train_batches": 0.5, "limit_val_batches": 1},
        {"max_epochs": 2, "limit_val_batches": 0},
        {"max_epochs": 2, "overfit_batches": 2},
        {"max_epochs": 9, "fast_dev_run": True},
    ],
    ids=str,
)
def test_as_lightning_counts(arguments: dict[str, Any], tmp_path: Path) -> None:
    """Fourteen examples in batches of two are seven batches; five held-out ones are three."""
    trainer = {**PLAIN, **arguments}
    length = training_length(trainer, examples=14, batch_size=2, validation_batches=3)
    module = Counting()
    fitted = build_trainer(trainer, callbacks=[], loggers=[], folder=tmp_path)
    training, held_out = (DataLoader(TensorDataset(torch.ones(examples, 1)), batch_size=2) for examples in (14, 5))
    fitted.fit(module, training, held_out)
    assert (length.batches, length.steps) == (module.batches, fitted.global_step)
    assert length.validations == module.validations
    assert length.validations * length.validation_batches == module.validation_batches


def test_ranks_share_the_examples_and_multiply_the_batch() -> None:
    """Eleven examples are six for each of two ranks: three batches of two, two steps of two batches each."""
    length = training_length(
        {**PLAIN, "max_epochs": 2, "accumulate_grad_batches": 2}, examples=11, batch_size=2, ranks=2
    )
    assert (length.effective_batch, length.batches_per_epoch, length.steps_per_epoch, length.steps) == (8, 3, 2, 4)
    dropping = training_length({**PLAIN, "max_epochs": 1}, examples=9, batch_size=4, ranks=2, drop_last=True)
    assert (dropping.batches_per_epoch, dropping.steps) == (1, 1)
    assert length.validations == dropping.validations == 0
