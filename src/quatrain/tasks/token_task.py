"""What masked and causal language models share: a loss for each token, and perplexity."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from quatrain.core.batches import IGNORED
from quatrain.tasks.base import LanguageTask


class TokenTask(LanguageTask):
    """A task whose targets are tokens.

    ``target_key`` names them in the batch; ``counts_correct``: whether the best guesses are compared with them.
    """

    target_key = ""
    counts_correct = False

    def loss(self, logits: Tensor, batch: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
        """Cross-entropy in nats, summed over the scored tokens, and their number.

        logits: [batch, seq, vocab]; computed in float32 also where autocast made them bfloat16.
        """
        target = batch[self.target_key]
        loss = functional.cross_entropy(
            logits.float().flatten(0, 1),
            target.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=label_smoothing,
        )
        return loss, (target != IGNORED).sum()

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

    def _add(self, stage: str, batch: Any) -> None:
        logits = self.logits(batch)
        loss, scored = self.loss(logits, batch, 0.0)
        correct = torch.zeros_like(scored)
        if self.counts_correct:
            correct = (logits.argmax(dim=-1) == batch[self.target_key]).sum()
        self.add_held_out(stage, torch.stack([loss, scored.to(loss), correct.to(loss)]))

    def _report(self, stage: str) -> None:
        nats, scored, correct = self.take_held_out(stage, 3)
        if scored:
            self.log_held_out(self.held_out_metrics(stage, nats, scored, correct))


def _exp(loss: float) -> float:
    """e to the loss, infinite where a float cannot hold it."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
