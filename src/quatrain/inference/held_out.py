"""The examples that a model is scored on: a split of its run's own data, or of any other source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.corpora.one_split import choose, pairs_of_split, text_of_split
from quatrain.data.buckets import TokenBudget
from quatrain.data.loaders import BatchedRows, evaluation_loader
from quatrain.data.masked_text import MaskedText
from quatrain.data.pairs import SentencePairs
from quatrain.data.sampler import EvaluationBatches
from quatrain.data.windows import Windows
from quatrain.inference.data_options import DataOptions, in_words
from quatrain.inference.labels import labels_of, matched
from quatrain.inference.loading import Loaded
from quatrain.inference.model_data import data_for, place_of, source_of


@dataclass(frozen=True)
class HeldOut:
    """Encoded examples of one split.

    ``source``: as it was given, of a local path absolute. ``own``: it is the data of the run. ``metrics``,
    ``regression``, ``labels`` (names by number): of a classification. ``characters``: of the text whose tokens are
    scored, where they were counted. ``notes``: what the user should know of how it was come by. ``data``: the module
    they are of. ``of``: the examples of the split, where ``rows`` are a part of them.
    """

    rows: BatchedRows
    split: str
    source: str
    own: bool
    fingerprint: str
    batch_size: int
    max_length: int
    metrics: tuple[str, ...]
    regression: bool
    labels: tuple[str, ...]
    characters: int | None
    notes: tuple[str, ...]
    data: Any
    of: int | None = None

    def batches(self) -> Iterator[Any]:
        """Every row once, rows of about the same length together."""
        lengths = getattr(self.rows, "lengths", None)  # windows are all of one
        buckets = TokenBudget(lengths) if lengths else None
        order = EvaluationBatches(len(self.rows), batch_size=self.batch_size, buckets=buckets)
        return iter(evaluation_loader(self.rows, order, num_workers=0))


def find_held_out(loaded: Loaded, split: str | None, source: str | None, options: DataOptions) -> HeldOut:
    """Prepare ``split`` of ``source``.

    Without a ``source`` it is the data of the run, as it was trained; without a ``split`` the test split where that has
    labels, else the validation split. Another source without splits is scored whole.

    Raises:
        UserError: there is no such source or split, it has no labels or not the model's, or an option is of no use.
        NotNow: the source cannot be had now.
    """
    own = source_of(loaded)
    if source is None and own is None:
        raise UserError(
            f"{loaded.target.given} is no run of quatrain, so it brings no data of its own; name some with --source."
        )
    if source is None or place_of(source) == own:
        options.refuse_for_own_data()
        return _own(loaded, split, str(own), options)
    with in_words():
        return _other(loaded, split, place_of(source), options)


def validation_sets(loaded: Loaded) -> list[HeldOut]:
    """Prepare the validation sets of the run's own data, as it was trained: those that have labels; none without one.

    Raises:
        UserError: it is no run, or its data cannot be prepared.
    """
    data = data_for(loaded, DataOptions())
    data.load()
    names = [name for name, rows in data.rows.items() if name.startswith("validation") and is_labelled(rows)]
    return [_described(loaded, data, name, str(source_of(loaded)), own=True, notes=[]) for name in names]


def is_labelled(rows: Any) -> bool:
    """Whether any of ``rows`` can be scored; rows of text always."""
    labels = getattr(rows, "labels", None)
    return labels is None or bool(np.any(known(labels)))


def known(labels: Any) -> Any:
    """Which of ``labels``, classes or scores, are there."""
    return ~np.isnan(labels) if labels.dtype.kind == "f" else labels != IGNORED


def _own(loaded: Loaded, split: str | None, source: str, options: DataOptions) -> HeldOut:
    data = data_for(loaded, options)
    data.load()
    held = [name for name in data.rows if not name.startswith("train")]
    if not held or (split and split not in held):
        what = f"held-out split {split}" if split else "held-out split"
        there = f"it has {', '.join(held)}; name one of them" if held else "all of it was trained on"
        raise UserError(f"{loaded.target.given} has no {what}: {there}, or score other data with --source.")
    usual = sorted(held, key=lambda name: not name.startswith("test"))
    chosen = split or next((name for name in usual if is_labelled(data.rows[name])), usual[0])
    notes = []
    if not split and len(held) > 1:
        passed = usual[: usual.index(chosen)]
        why = f", for {', '.join(passed)} has no labels" if passed else ""
        notes.append(f"split: {chosen}{why}; --split takes {', '.join(held)}")
    elif not split:
        notes.append(f"split: {chosen}, the only one that was held out")
    return _described(loaded, data, chosen, source, own=True, notes=notes)


def _other(loaded: Loaded, split: str | None, source: str, options: DataOptions) -> HeldOut:
    data: Any = data_for(loaded, options, source)
    notes: list[str] = []
    if isinstance(data, SentencePairs):
        own = labels_of(loaded.model)
        corpus = pairs_of_split(
            source,
            split,
            labels=lambda told: matched(own, told, source, notes),
            glue_task=data.glue_task,
            text_columns=data.text_columns,
            label_column=data.label_column,
            incomplete_rows=data.incomplete_rows,
            sha256=data.sha256,
            cleaning=data.cleaning,
            verse_size=data.verse_size,
            verse_seed=data.verse_seed,
        )
        data.given_rows, chosen = corpus, next(iter(corpus.columns))
    elif isinstance(data, MaskedText | Windows):
        text = text_of_split(
            source,
            split,
            documents=data.documents,
            text_column=data.text_column,
            sha256=data.sha256,
            cleaning=data.cleaning,
            verse_size=data.verse_size,
            verse_seed=data.verse_seed,
        )
        data.texts, chosen = text, text.splits[0]
    data.load()
    if not isinstance(data, SentencePairs | MaskedText | Windows):
        chosen = choose(source, tuple(data.rows), split)
    return _described(loaded, data, chosen, source, own=False, notes=notes)


def _described(loaded: Loaded, data: Any, split: str, source: str, *, own: bool, notes: list[str]) -> HeldOut:
    rows = data.rows_to_predict(split)
    labels: tuple[str, ...] = ()
    if loaded.target.task == "sequence_classification":
        if not is_labelled(rows):
            raise UserError(f"The {split} split of {source} has no labels; quatrain predict labels it.")
        labels = labels_of(loaded.model).names or ()
        if data.num_labels != max(1, len(labels)):
            raise UserError(
                f"{source} has {data.num_labels} classes and the model {len(labels)}; it is not what the model was"
                " trained on."
            )
        if unlabelled := int(np.sum(~known(rows.labels))):
            notes.append(f"{unlabelled} of {len(rows)} rows have no label and are left out")
    characters = f"characters/{split}"
    return HeldOut(
        rows=rows,
        split=split,
        source=source,
        own=own,
        fingerprint=data.fingerprint,
        batch_size=data.eval_batch_size or data.batch_size,
        max_length=data.max_length,
        metrics=tuple(getattr(data, "metrics", ())),
        regression=bool(getattr(data, "regression", False)),
        labels=labels,
        characters=data.summary.get(characters),
        notes=tuple(notes),
        data=data,
    )
