"""Causal language modelling: say the next token."""

import inspect
import math
from collections.abc import Mapping
from typing import Any

from torch import nn

from quatrain.core.batches import WindowBatch
from quatrain.tasks.base import MakeOptimizer, MakeSchedule
from quatrain.tasks.token_task import TokenTask


class CausalLanguageModel(TokenTask):
    """Logs loss (nats a token), perplexity, and bits per character where the characters were counted.

    ``characters``: characters of the text whose tokens the held-out sets score, for "val" and "test". Bits per
    character compare models with different tokenizers; they are logged only when the whole set was scored.
    """

    target_key = "target"

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: MakeOptimizer | None = None,
        schedule: MakeSchedule | None = None,
        label_smoothing: float = 0.0,
        schedule_steps: int | None = None,
        sparse_head: bool = False,
        chunked_loss: bool = False,
        characters: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(
            model,
            optimizer=optimizer,
            schedule=schedule,
            label_smoothing=label_smoothing,
            schedule_steps=schedule_steps,
            sparse_head=sparse_head,
            chunked_loss=chunked_loss,
        )
        self.characters = dict(characters or {})
        # Keys and values of all layers are of use to generation only.
        takes_cache = "use_cache" in inspect.signature(model.forward).parameters
        self._options = {"use_cache": False} if takes_cache else {}

    def inputs(self, batch: WindowBatch) -> dict[str, Any]:
        """Ids. What the model says at place t is for token t + 1, which is the batch's target at t."""
        return {"input_ids": batch["input_ids"], **self._options}

    def held_out_metrics(self, stage: str, nats: float, scored: float, correct: float) -> dict[str, float]:
        """As for every token task, and bits per character = nats / ln 2 / characters."""
        metrics = super().held_out_metrics(stage, nats, scored, correct)
        if self.characters.get(stage) and self._is_whole(stage):
            metrics[f"{stage}/bits_per_character"] = nats / math.log(2) / self.characters[stage]
        return metrics

    def _is_whole(self, stage: str) -> bool:
        """Whether no limit on batches (nor Lightning's sanity check) cut the set."""
        trainer = self.trainer
        if trainer.sanity_checking:
            return False
        given: Any = trainer.val_dataloaders if stage == "val" else trainer.test_dataloaders
        batches = trainer.num_val_batches if stage == "val" else trainer.num_test_batches
        loaders = given if isinstance(given, list | tuple) else [given]
        return sum(batches) == sum(len(loader) for loader in loaders)
