"""Ending a run early where the search that it belongs to has seen better ones."""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from quatrain.training.agreement import Agreement
from quatrain.training.checkpoints import checkpoints_of

Judge = Callable[[int, float], bool]
"""Takes the number of a validation, counted from 1, and its score; says whether the run is to end."""


class Pruning(Callback):
    """Hands the score of each validation, the one that the best checkpoint is chosen by, to ``judge`` on rank 0.

    Where that says so all ranks end the training after this validation, as an early stop does: with a checkpoint, and
    not before ``trainer.min_epochs`` and ``min_steps``. ``sentence`` then tells why. The last validation of a run ends
    nothing. A run that goes on from a checkpoint counts its validations on.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.sentence: str | None = None
        self.validations = 0
        self._agreement = Agreement()

    def state_dict(self) -> dict[str, Any]:
        """How many validations there were, and what was decided."""
        return {"validations": self.validations, "sentence": self.sentence}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.validations, self.sentence = state_dict["validations"], state_dict["sentence"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ask the judge."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self.validations += 1
        monitor = checkpoints_of(trainer).monitor
        score = trainer.callback_metrics.get(monitor or "")
        if monitor is None or score is None:
            return
        said = trainer.is_global_zero and self.judge(self.validations, float(score))
        ends = bool(self._agreement.largest(int(said))[0])
        self.sentence = None
        if ends and not trainer.should_stop and not _at_the_end(trainer):
            self.sentence = (
                f"Pruned after validation {self.validations}, at step {trainer.global_step}: {monitor} is"
                f" {float(score):.5g}, behind that of other trials."
            )
            trainer.should_stop = True

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Nothing is left to agree on."""
        self._agreement.close()


def _at_the_end(trainer: pl.Trainer) -> bool:
    """Whether nothing would be trained after this validation anyway."""
    if 0 <= trainer.max_steps <= trainer.global_step:
        return True
    last_batch = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    return last_batch and trainer.max_epochs is not None and 0 <= trainer.max_epochs <= trainer.current_epoch + 1
