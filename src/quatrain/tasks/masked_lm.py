"""Masked language modelling (BERT, Devlin et al. 2018): say what the hidden tokens were."""

from typing import Any

from torch import nn

from quatrain.core.batches import MaskedBatch, PackedBatch
from quatrain.models.packing import packed_inputs, position_offset
from quatrain.tasks.base import MakeOptimizer, MakeSchedule
from quatrain.tasks.token_task import TokenTask


class MaskedLanguageModel(TokenTask):
    """Logs loss (nats a hidden token), perplexity and accuracy over the hidden tokens of a held-out set.

    ``packing``: batches may be `PackedBatch`; a model that cannot take them is refused with a `UserError`.
    """

    target_key = "labels"
    counts_correct = True

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
        packing: bool = False,
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
        self._offset = position_offset(model) if packing else 0

    def inputs(self, batch: MaskedBatch | PackedBatch) -> dict[str, Any]:
        """Ids and mask; of a packed row the positions and where its examples end."""
        if "cu_seqlens" in batch:
            return packed_inputs(batch, self._offset)
        return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}

    def held_out_metrics(self, stage: str, nats: float, scored: float, correct: float) -> dict[str, float]:
        """As for every token task, and the share of hidden tokens whose best guess is right."""
        return {**super().held_out_metrics(stage, nats, scored, correct), f"{stage}/accuracy": correct / scored}
