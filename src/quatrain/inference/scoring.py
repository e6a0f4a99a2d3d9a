"""What a model says to every held-out example, reduced to a few numbers for each, in the order of the split."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.core.progress_line import ProgressLine
from quatrain.inference.held_out import HeldOut, known
from quatrain.inference.loading import Loaded
from quatrain.models.vocabulary_head import VocabularyHead
from quatrain.tasks import TASKS

MOST_LOGITS = 1 << 22
"""That are made at once, where the model's head can be taken apart; else those of one row may be more."""

Numbers = NDArray[Any]

Part = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Places of the flattened [batch * seq], their logits [places, vocab] and their targets [places]."""


@dataclass(frozen=True)
class ClassScores:
    """Of the labelled examples, [examples] each: what was predicted (class or score), the label, and the loss.

    ``chances``: the probability of what was predicted, 1 for a score. ``rows``: the place of each in the held-out rows.
    """

    predicted: Numbers
    labels: Numbers
    losses: Numbers
    chances: Numbers
    rows: Numbers


@dataclass(frozen=True)
class TokenScores:
    """Of the examples in which anything is scored, [examples] each: nats, tokens scored, best guesses that are right.

    What is right is counted of hidden tokens only, else 0.
    """

    nats: Numbers
    tokens: Numbers
    correct: Numbers


def score_classes(loaded: Loaded, held_out: HeldOut) -> ClassScores:
    """Score every example of a classification.

    Raises:
        UserError: a loss is no finite number.
    """
    if loaded.model.config.pad_token_id is None:
        loaded.model.config.pad_token_id = loaded.tokenizer.pad_id  # GPT-2 answers at the last token that is no padding
    task = TASKS["sequence_classification"](
        loaded.model, metrics=held_out.metrics, regression=held_out.regression, num_labels=max(1, len(held_out.labels))
    )
    size = len(held_out.rows)
    predicted = np.zeros(size, np.float32 if held_out.regression else np.int64)
    labels, losses, chances = np.zeros_like(predicted), np.zeros(size), np.ones(size, np.float32)
    with loaded.computing():
        for batch in batches_of(loaded, held_out):
            ids, logits = batch["example_ids"].cpu().numpy(), task.logits(batch).float()
            labels[ids] = batch["labels"].cpu().numpy()
            if held_out.regression:
                guesses = logits.squeeze(-1)
                lost = (guesses - batch["labels"].nan_to_num()).square()
            else:
                likeliest, guesses = logits.softmax(dim=-1).max(dim=-1)
                chances[ids] = likeliest.cpu().numpy()
                lost = functional.cross_entropy(logits, batch["labels"], ignore_index=IGNORED, reduction="none")
            predicted[ids], losses[ids] = guesses.cpu().numpy(), lost.cpu().numpy()
    there = known(labels)
    _check_finite(loaded, losses[there])
    return ClassScores(predicted[there], labels[there], losses[there], chances[there], np.flatnonzero(there))


def score_tokens(loaded: Loaded, held_out: HeldOut) -> TokenScores:
    """Score every example of a masked or causal language model.

    Raises:
        UserError: a loss is no finite number.
    """
    sums = np.zeros((len(held_out.rows), 3))
    with unwarned(), TokenScorer(loaded.model, loaded.target.task) as scorer, loaded.computing():
        for batch in batches_of(loaded, held_out):
            sums[batch["example_ids"].cpu().numpy()] = scorer(batch)
    nats, tokens, correct = sums[sums[:, 1] > 0].T
    _check_finite(loaded, nats)
    return TokenScores(nats, tokens, correct)


class TokenScorer:
    """Scores batches of tokens without the whole table of their logits; a context manager that borrows the model.

    Logits are made for the places alone that are scored, some at a time. Where the head of the model cannot be taken
    apart, the model makes those of some rows at a time.
    """

    def __init__(self, model: Any, task: str, *, most_logits: int = MOST_LOGITS) -> None:
        self._task: Any = TASKS[task](model)
        self._most_logits = most_logits
        self._vocab = int(model.get_output_embeddings().weight.shape[0])
        self.head: VocabularyHead | None = _head_of(model)
        """None where the model's head cannot be taken apart."""

    def __call__(self, batch: Any) -> Numbers:
        """[batch, 3] float64: nats, tokens scored, and right guesses of each row."""
        target = batch[self._task.target_key]
        sums = np.zeros((len(target), 3))
        for places, logits, wanted in self._parts(batch, target):
            nats = _nats(logits, wanted)
            right = (logits.argmax(dim=-1) == wanted).cpu().numpy() if self._task.counts_correct else 0 * nats
            for column, values in enumerate((nats, np.ones_like(nats), right)):
                rows = (places // target.shape[1]).cpu().numpy()
                sums[:, column] += np.bincount(rows, weights=values, minlength=len(target))
        return sums

    def by_column(self, batch: Any) -> Numbers:
        """[seq, 2] float64: nats and tokens scored at each place of the rows, over all of them."""
        target = batch[self._task.target_key]
        sums = np.zeros((target.shape[1], 2))
        for places, logits, wanted in self._parts(batch, target):
            columns = (places % target.shape[1]).cpu().numpy()
            nats = _nats(logits, wanted)
            for column, values in enumerate((nats, np.ones_like(nats))):
                sums[:, column] += np.bincount(columns, weights=values, minlength=len(sums))
        return sums

    def __enter__(self) -> "TokenScorer":
        return self

    def __exit__(self, *_: object) -> None:
        if self.head:
            self.head.restore()

    def _parts(self, batch: Any, target: torch.Tensor) -> Iterator[Part]:
        return self._by_places(batch, target) if self.head else self._by_rows(batch, target)

    def _by_places(self, batch: Any, target: torch.Tensor) -> Iterator[Part]:
        """Some scored places after the other."""
        assert self.head is not None
        places = (target.flatten() != IGNORED).nonzero()[:, 0]
        hidden = self.head.hidden(self._task.inputs(batch), places)
        for some in torch.arange(len(places), device=places.device).split(max(1, self._most_logits // self._vocab)):
            logits = functional.linear(hidden[some], self.head.weight, self.head.bias)
            yield places[some], logits, target.flatten()[places[some]]

    def _by_rows(self, batch: Any, target: torch.Tensor) -> Iterator[Part]:
        """As `_by_places`, of the scored places of some rows after the other."""
        at_once = max(1, self._most_logits // (target.shape[1] * self._vocab))
        for start in range(0, len(target), at_once):
            part = {name: value[start : start + at_once] for name, value in batch.items() if value.ndim > 1}
            rows, columns = (part[self._task.target_key] != IGNORED).nonzero(as_tuple=True)
            logits = self._task.logits(part)[rows, columns]
            places = (rows + start) * target.shape[1] + columns
            yield places, logits, part[self._task.target_key][rows, columns]


def _nats(logits: torch.Tensor, wanted: torch.Tensor) -> Numbers:
    nats: Numbers = functional.cross_entropy(logits.float(), wanted, reduction="none").cpu().numpy()
    return nats


def _head_of(model: Any) -> VocabularyHead | None:
    try:
        return VocabularyHead(model)
    except ValueError:
        return None


@contextmanager
def unwarned() -> Iterator[None]:
    """Without transformers' warning of ids that could be padding: those of windows are text, at their ends too."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _check_finite(loaded: Loaded, losses: Numbers) -> None:
    if wrong := int(np.sum(~np.isfinite(losses))):
        raise UserError(
            f"The loss of {wrong} of {len(losses)} examples is no finite number; {loaded.target.given} may have"
            " diverged in training, or try --precision 32-true."
        )


def batches_of(loaded: Loaded, held_out: HeldOut) -> Iterator[Any]:
    """The batches on the model's device, with a line on a terminal that says how far it is."""
    rows = tokens = 0
    with ProgressLine("scoring", total=len(held_out.rows), unit="tokens") as line:
        for batch in held_out.batches():
            yield {name: value.to(loaded.device, non_blocking=True) for name, value in batch.items()}
            rows, tokens = rows + len(batch["input_ids"]), tokens + batch["input_ids"].numel()
            line.show(rows, tokens)
