"""Classification or scoring of a text or a pair of texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from quatrain.core.batches import IGNORED, PairBatch
from quatrain.core.errors import UserError
from quatrain.tasks.base import LanguageTask, MakeOptimizer, MakeSchedule
from quatrain.tasks.metric_names import DEFAULT_METRICS, check_metrics, stage_name
from quatrain.tasks.metrics import Predictions, score

NOT_INPUTS = ("labels", "example_ids")


class SequenceClassification(LanguageTask):
    """Logs loss and the named metrics of each held-out set; a set without labels logs nothing.

    Args:
        model: a sequence classifier of ``num_labels`` logits; of one for a regression.
        optimizer: as in `LanguageTask`.
        schedule: as in `LanguageTask`.
        label_smoothing: as in `LanguageTask`; a regression has none.
        schedule_steps: as in `LanguageTask`.
        num_labels: classes.
        metrics: of accuracy, f1 (of class 1 where there are two classes, else the mean over classes), matthews; for a
            regression of pearson, spearman.
        regression: the labels are scores, the loss is the squared error.
        validation_names: a name for each validation set, in the order of the loaders; the names of their metrics begin
            with it. Test sets are called alike, with ``test`` for ``val``.

    Raises:
        UserError: a metric that does not fit the labels.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: MakeOptimizer | None = None,
        schedule: MakeSchedule | None = None,
        label_smoothing: float = 0.0,
        schedule_steps: int | None = None,
        num_labels: int = 2,
        metrics: Sequence[str] = DEFAULT_METRICS,
        regression: bool = False,
        validation_names: Sequence[str] = ("val",),
    ) -> None:
        wrong = check_metrics(metrics, regression=regression)
        if wrong:
            raise UserError(wrong)
        super().__init__(
            model,
            optimizer=optimizer,
            schedule=schedule,
            label_smoothing=label_smoothing,
            schedule_steps=schedule_steps,
        )
        self.num_labels, self.metrics, self.regression = num_labels, tuple(metrics), regression
        self.validation_names = tuple(validation_names)
        self._predictions: dict[str, Predictions] = {}

    def logits(self, batch: PairBatch) -> Tensor:
        """[batch, classes], or [batch, 1] for a regression."""
        inputs = {name: value for name, value in batch.items() if name not in NOT_INPUTS}
        logits: Tensor = self.model(**inputs).logits
        return logits

    def loss(self, logits: Tensor, batch: PairBatch, label_smoothing: float) -> tuple[Tensor, Tensor]:
        """Cross-entropy in nats, or squared error, summed over the labelled examples in float32; and their number."""
        labels, scored = batch["labels"], self._scored(batch)
        if self.regression:
            # A score that is not there is NaN, and NaN times 0 is NaN: replace it before the difference.
            error = torch.where(scored, logits.float().squeeze(-1) - labels.nan_to_num(), 0.0)
            return error.square().sum(), scored.sum()
        loss = functional.cross_entropy(
            logits.float(), labels, ignore_index=IGNORED, reduction="sum", label_smoothing=label_smoothing
        )
        return loss, scored.sum()

    def validation_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Keep what is predicted for one batch."""
        self._add(self._set_name("val", dataloader_idx), batch)

    def test_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Keep what is predicted for one batch."""
        self._add(self._set_name("test", dataloader_idx), batch)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of all validation sets."""
        self._report("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics of all test sets."""
        self._report("test")

    def forget_held_out(self) -> None:
        """Drop all sums and predictions of held-out sets."""
        super().forget_held_out()
        self._predictions.clear()

    def _scored(self, batch: PairBatch) -> Tensor:
        labels: Tensor = batch["labels"]
        return ~labels.isnan() if self.regression else labels != IGNORED

    def _set_name(self, stage: str, place: int) -> str:
        known = place < len(self.validation_names)
        return stage_name(self.validation_names[place], stage) if known else f"{stage}_{place + 1}"

    def _add(self, name: str, batch: PairBatch) -> None:
        logits = self.logits(batch).float()
        loss, count = self.loss(logits, batch, 0.0)
        self.add_held_out(name, torch.stack([loss, count.to(loss)]))
        scored = self._scored(batch)
        predicted = logits.squeeze(-1) if self.regression else logits.argmax(dim=-1)
        self._predictions.setdefault(name, Predictions()).add(predicted[scored], batch["labels"][scored])

    def _report(self, stage: str) -> None:
        loaders: Any = self.trainer.num_val_batches if stage == "val" else self.trainer.num_test_batches
        for place in range(len(loaders)):
            name = self._set_name(stage, place)
            loss, count = self.take_held_out(name, 2)
            predicted, labels = self._predictions.pop(name, Predictions()).gather(self.device, self.regression)
            if count:
                values = {metric: score(metric, predicted, labels, self.num_labels) for metric in self.metrics}
                self.log_held_out(
                    {f"{name}/{metric}": value for metric, value in {"loss": loss / count, **values}.items()}
                )
