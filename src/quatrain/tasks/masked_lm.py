"""Masked language modelling (BERT, Devlin et al. 2018): say what the hidden tokens were."""

from torch import Tensor

from quatrain.core.batches import MaskedBatch
from quatrain.tasks.token_task import TokenTask


class MaskedLanguageModel(TokenTask):
    """Logs loss (nats a hidden token), perplexity and accuracy over the hidden tokens of a held-out set."""

    target_key = "labels"
    counts_correct = True

    def logits(self, batch: MaskedBatch) -> Tensor:
        """[batch, seq, vocab]"""
        logits: Tensor = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        return logits

    def held_out_metrics(self, stage: str, nats: float, scored: float, correct: float) -> dict[str, float]:
        """As for every token task, and the share of hidden tokens whose best guess is right."""
        return {**super().held_out_metrics(stage, nats, scored, correct), f"{stage}/accuracy": correct / scored}
