"""Scoring a model on held-out examples: the metrics of its task, each with an interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quatrain.core.errors import UserError
from quatrain.core.secrets import redact_text
from quatrain.inference.bootstrap import LEVEL, Interval, Numbers, Ranks, Resampling, means, pearson, ratios
from quatrain.inference.data_options import DataOptions
from quatrain.inference.held_out import HeldOut, find_held_out
from quatrain.inference.loading import Loaded
from quatrain.inference.scoring import ClassScores, TokenScores, score_classes, score_tokens


@dataclass(frozen=True)
class Measured:
    """A metric, and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Confusion:
    """How often each class was predicted for each label: ``counts[label][prediction]``, by the classes' numbers."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Evaluation:
    """What a model scored on a split.

    ``examples``: those that were scored. ``of``: those of the split, where a part was. ``source``: without the secrets
    of its URL. ``own``: the data is that of the run. ``metrics``: in the order of a table. ``confusion``: of classes.
    ``notes``: what the user should know of it.
    """

    task: str
    split: str
    source: str
    own: bool
    fingerprint: str
    examples: int
    of: int | None
    metrics: Mapping[str, Measured]
    confusion: Confusion | None
    precision: str
    device: str
    max_length: int
    resampling: Resampling
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called in ``evaluation.json``."""
        name = self.split if self.own else f"{self.split} of {self.source}"
        return name if self.of is None else f"part of {name}"

    def plain(self) -> dict[str, Any]:
        """All but the notes, in plain values."""
        confusion = self.confusion
        return {
            "task": self.task,
            "split": self.split,
            "source": self.source,
            "fingerprint": self.fingerprint,
            "examples": self.examples,
            **({} if self.of is None else {"of": self.of}),
            "metrics": {name: vars(measured) for name, measured in self.metrics.items()},
            "confusion": {"labels": list(confusion.labels), "counts": list(map(list, confusion.counts))}
            if confusion
            else None,
            "level": LEVEL,
            "resamples": self.resampling.resamples,
            "seed": self.resampling.seed,
            "max_length": self.max_length,
            "precision": self.precision,
            "device": self.device,
        }


def evaluate(
    loaded: Loaded,
    *,
    split: str | None = None,
    source: str | None = None,
    options: DataOptions | None = None,
    resampling: Resampling | None = None,
) -> Evaluation:
    """Score ``loaded`` on a split of ``source``, see `find_held_out`.

    The metrics are those that training logs for the split, and equal them where the precision is the same. Memory is
    some numbers for each example.

    Raises:
        UserError: as `find_held_out`, or the split holds nothing to score.
    """
    held_out = find_held_out(loaded, split, source, options or DataOptions())
    return evaluation_of(loaded, held_out, score(loaded, held_out), resampling or Resampling())


def score(loaded: Loaded, held_out: HeldOut) -> ClassScores | TokenScores:
    """Score every example of ``held_out``.

    Raises:
        UserError: a loss is no finite number.
    """
    classifies = loaded.target.task == "sequence_classification"
    return score_classes(loaded, held_out) if classifies else score_tokens(loaded, held_out)


def evaluation_of(
    loaded: Loaded, held_out: HeldOut, scores: ClassScores | TokenScores, resampling: Resampling
) -> Evaluation:
    """Reduce ``scores`` of ``held_out`` to the metrics of the task, with their intervals.

    Raises:
        UserError: there is nothing to score.
    """
    confusion = None
    if isinstance(scores, ClassScores):
        examples = len(scores.losses)
        if held_out.regression:
            metrics = _of_scores(scores, held_out, resampling)
        else:
            metrics, confusion = _of_classes(scores, held_out, resampling), _confusion(scores, held_out.labels)
    else:
        examples = len(scores.nats)
        if not examples:
            raise UserError(f"The {held_out.split} split of {held_out.source} holds no token to score; name more text.")
        metrics = _of_tokens(scores, loaded.target.task, held_out.characters, resampling)
    return Evaluation(
        task=loaded.target.task,
        split=held_out.split,
        source=redact_text(held_out.source),
        own=held_out.own,
        fingerprint=held_out.fingerprint,
        examples=examples,
        of=held_out.of,
        metrics=metrics,
        confusion=confusion,
        precision=loaded.precision,
        device=str(loaded.device),
        max_length=held_out.max_length,
        resampling=resampling,
        notes=tuple(map(redact_text, held_out.notes)),
    )


def _of_classes(scores: ClassScores, held_out: HeldOut, resampling: Resampling) -> dict[str, Measured]:
    loss = resampling.literal(len(scores.losses), lambda drawn: {"loss": means(scores.losses, drawn)})
    tables = resampling.of_tables(scores.predicted, scores.labels, len(held_out.labels), held_out.metrics)
    return _measured(_values(scores, held_out), {**loss, **tables})


def _of_scores(scores: ClassScores, held_out: HeldOut, resampling: Resampling) -> dict[str, Measured]:
    predicted, labels = scores.predicted.astype(np.float64), scores.labels.astype(np.float64)
    ranks = Ranks(predicted), Ranks(labels)

    def statistics(weights: Numbers) -> Mapping[str, Numbers]:
        return {
            "loss": means(scores.losses, weights),
            "pearson": pearson(predicted, labels, weights),
            "spearman": pearson(ranks[0](weights), ranks[1](weights), weights),
        }

    return _measured(_values(scores, held_out), resampling.literal(len(labels), statistics))


def _values(scores: ClassScores, held_out: HeldOut) -> dict[str, float]:
    """Loss and metrics, by the functions that training has them from."""
    import torch

    from quatrain.tasks.metrics import score

    predicted, labels = torch.from_numpy(scores.predicted), torch.from_numpy(scores.labels)
    classes = max(1, len(held_out.labels))
    metrics = {name: score(name, predicted, labels, classes) for name in held_out.metrics}
    return {"loss": float(scores.losses.mean()), **metrics}


def _of_tokens(sums: TokenScores, task: str, characters: int | None, resampling: Resampling) -> dict[str, Measured]:
    tokens = sums.tokens.sum()

    def derived(loss: Numbers) -> dict[str, Numbers]:
        made = {"loss": loss, "perplexity": np.exp(loss)}
        if task == "causal_lm" and characters:
            made["bits_per_character"] = loss * tokens / math.log(2) / characters
        return made

    def statistics(weights: Numbers) -> Mapping[str, Numbers]:
        made = derived(ratios(sums.nats, sums.tokens, weights))
        return {**made, "accuracy": ratios(sums.correct, sums.tokens, weights)} if task == "masked_lm" else made

    with np.errstate(over="ignore"):  # a perplexity beyond all numbers is infinite
        values = {name: float(value[0]) for name, value in statistics(np.ones((1, len(sums.nats)))).items()}
        return _measured(values, resampling.literal(len(sums.nats), statistics))


def _measured(values: Mapping[str, float], intervals: Mapping[str, Interval]) -> dict[str, Measured]:
    return {name: Measured(value, *intervals[name]) for name, value in values.items()}


def _confusion(scores: ClassScores, labels: tuple[str, ...]) -> Confusion:
    size = len(labels)
    counts = np.bincount(scores.labels * size + scores.predicted, minlength=size * size).reshape(size, size)
    return Confusion(labels, tuple(map(tuple, counts.tolist())))
