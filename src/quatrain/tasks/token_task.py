"""What masked and causal language models share: a loss for each token, and perplexity."""

import math
from typing import Any

import torch
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor, nn
from torch.nn import functional

from quatrain.core.batches import IGNORED
from quatrain.models.vocabulary_head import VocabularyHead
from quatrain.tasks.base import LanguageTask, MakeOptimizer, MakeSchedule
from quatrain.tasks.linear_cross_entropy import linear_cross_entropy


class TokenTask(LanguageTask):
    """A task whose targets are tokens.

    ``target_key`` names them in the batch; ``counts_correct``: whether the best guesses are compared with them.

    Args:
        model: as in `LanguageTask`.
        optimizer: as in `LanguageTask`.
        schedule: as in `LanguageTask`.
        label_smoothing: as in `LanguageTask`.
        schedule_steps: as in `LanguageTask`.
        sparse_head: make logits for the places alone that are scored.
        chunked_loss: make logits and their loss in pieces, never the whole table.

    Neither changes loss or gradients but by rounding. Where the model's head cannot be taken apart, ``plain_because``
    says why, and the logits are those that the model makes.
    """

    target_key = ""
    counts_correct = False

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
    ) -> None:
        super().__init__(
            model,
            optimizer=optimizer,
            schedule=schedule,
            label_smoothing=label_smoothing,
            schedule_steps=schedule_steps,
        )
        self.sparse_head, self.chunked_loss = sparse_head, chunked_loss
        self.plain_because: str | None = None
        self._head: VocabularyHead | None = None
        if sparse_head or chunked_loss:
            try:
                self._head = VocabularyHead(model)
            except ValueError as error:
                self.plain_because = str(error)

    def inputs(self, batch: Any) -> dict[str, Any]:
        """The arguments of the model for ``batch``."""
        raise NotImplementedError

    def logits(self, batch: Any) -> Tensor:
        """[batch, seq, vocab]"""
        logits: Tensor = self.model(**self.inputs(batch)).logits
        return logits

    def loss(self, logits: Tensor, batch: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
        """Cross-entropy in nats, summed over the scored tokens, and their number.

        logits: [batch, seq, vocab]; computed in float32 also where autocast made them bfloat16.
        """
        loss, scored, _ = self._compare(logits.flatten(0, 1), batch[self.target_key].flatten(), label_smoothing)
        return loss, scored

    def training_loss(self, batch: Any) -> tuple[Tensor, Tensor]:
        """As `loss`, of what the model says to ``batch``."""
        loss, scored, _ = self._score(batch, self.label_smoothing)
        return loss, scored

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Add the sums of one batch."""
        self._add("val", batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Add the sums of one batch."""
        self._add("test", batch)

    def on_validation_epoch_end(self) -> None:
        """Log loss and perplexity per token."""
        self._report("val")

    def on_test_epoch_end(self) -> None:
        """Log loss and perplexity per token."""
        self._report("test")

    def held_out_metrics(self, stage: str, nats: float, scored: float, correct: float) -> dict[str, float]:
        """Metrics of a whole held-out set from its sums; ``scored`` is above 0."""
        loss = nats / scored
        return {f"{stage}/loss": loss, f"{stage}/perplexity": _exp(loss)}

    def _score(self, batch: Any, label_smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
        """Summed loss, targets scored and best guesses that are right; the last is 0 in training."""
        target = batch[self.target_key].flatten()
        head = self._head
        if head is None:
            return self._compare(self.logits(batch).flatten(0, 1), target, label_smoothing)
        places = None
        if self.sparse_head:
            places = batch["scored_places"] if "scored_places" in batch else _scored_places(target)
            target = target[places]
        # outside of the model's call a sharded table is not whole
        if self.chunked_loss and not self._is_sharded():
            hidden = head.hidden(self.inputs(batch), places)
            return linear_cross_entropy(
                hidden,
                head.weight,
                head.bias,
                target,
                label_smoothing=label_smoothing,
                count_correct=self.counts_correct,
            )
        return self._compare(head.logits(self.inputs(batch), places), target, label_smoothing)

    def _compare(self, logits: Tensor, target: Tensor, label_smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
        """As `_score`, of logits [rows, vocab] and targets [rows]."""
        loss = functional.cross_entropy(
            logits.float(), target, ignore_index=IGNORED, reduction="sum", label_smoothing=label_smoothing
        )
        scored = (target != IGNORED).sum()
        if torch.is_grad_enabled() or not self.counts_correct:
            return loss, scored, torch.zeros_like(scored)
        return loss, scored, (logits.argmax(dim=-1) == target).sum()

    def _is_sharded(self) -> bool:
        return self._trainer is not None and isinstance(self._trainer.strategy, FSDPStrategy)

    def _add(self, stage: str, batch: Any) -> None:
        loss, scored, correct = self._score(batch, 0.0)
        self.add_held_out(stage, torch.stack([loss, scored.to(loss), correct.to(loss)]))

    def _report(self, stage: str) -> None:
        nats, scored, correct = self.take_held_out(stage, 3)
        if scored:
            self.log_held_out(self.held_out_metrics(stage, nats, scored, correct))


def _scored_places(target: Tensor) -> Tensor:
    """For batches that do not say it. A GPU has to be waited for here."""
    return (target != IGNORED).nonzero()[:, 0]


def _exp(loss: float) -> float:
    """e to the loss, infinite where a float cannot hold it."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
