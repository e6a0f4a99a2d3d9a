"""The rows that a classifier is most confidently wrong about, and those that a regression misses by the most."""

from typing import Any

import numpy as np

from quatrain.corpora.pair_corpus import PairCorpus
from quatrain.data.collate import as_tensors
from quatrain.data.sampler import EVALUATION
from quatrain.inference.held_out import HeldOut
from quatrain.inference.loading import Loaded
from quatrain.inference.part import place_in_split
from quatrain.inference.scoring import ClassScores
from quatrain.runs.corpus_facts import cut_off, own_names
from quatrain.tasks.samples import questions, texts_of

MOST = 20


def wrong_pairs(loaded: Loaded, held_out: HeldOut, scores: ClassScores) -> dict[str, Any]:
    """Return ``wrong``, at most `MOST` rows, and how many there are of them (``count``) among how many (``of``).

    Each has its ``texts`` under the names of ``columns``, its ``label``, what the model ``said`` and with which
    ``probability``; the most probable come first.
    """
    wrong = np.flatnonzero(scores.predicted != scores.labels)
    shown = wrong[np.argsort(-scores.chances[wrong], kind="stable")][:MOST]
    names = held_out.labels
    found = [
        {
            "label": names[int(scores.labels[one])],
            "said": names[int(scores.predicted[one])],
            "probability": float(scores.chances[one]),
        }
        for one in shown
    ]
    return {
        **_with_texts(loaded, held_out, scores.rows[shown].tolist(), found),
        "count": len(wrong),
        "of": len(scores.labels),
    }


def largest_errors(loaded: Loaded, held_out: HeldOut, scores: ClassScores) -> dict[str, Any]:
    """As `wrong_pairs`, of scores: ``label`` and ``said`` are numbers, and the largest difference comes first.

    ``count`` is that of the rows that are not right to the last digit.
    """
    wrong = int(np.count_nonzero(scores.predicted != scores.labels))
    shown = np.argsort(-np.abs(scores.predicted - scores.labels), kind="stable")[:MOST]
    found = [{"label": float(scores.labels[one]), "said": float(scores.predicted[one])} for one in shown]
    texts = _with_texts(loaded, held_out, scores.rows[shown].tolist(), found)
    return {**texts, "count": wrong, "of": len(scores.labels)}


def _with_texts(loaded: Loaded, held_out: HeldOut, rows: list[int], found: list[dict[str, Any]]) -> dict[str, Any]:
    columns, texts = _texts(loaded, held_out, rows)
    return {"columns": columns, "wrong": [{"texts": own, **one} for own, one in zip(texts, found, strict=True)]}


def _texts(loaded: Loaded, held_out: HeldOut, rows: list[int]) -> tuple[list[str], list[list[str]]]:
    """The columns and texts of ``rows`` as the corpus has them; where that is not one of ours, as the model sees them.

    Columns go by the user's names where these are known. Of a text that is very long the beginning.
    """
    corpus = held_out.data.corpus()
    if isinstance(corpus, PairCorpus):
        told = corpus.columns[held_out.split]
        columns = list(corpus.text_columns)
        places = [place_in_split(held_out.rows, row) for row in rows]
        names = own_names(held_out.data)
        return [names.get(column, column) for column in columns], [
            [cut_off(told[column][place]) for column in columns] for place in places
        ]
    texts = [_decoded(loaded, held_out, row) for row in rows]
    return [f"text {number}" for number in range(1, 1 + max(map(len, texts), default=0))], texts


def _decoded(loaded: Loaded, held_out: HeldOut, row: int) -> list[str]:
    batch = as_tensors(held_out.rows.__getitems__([(EVALUATION, row)]))
    (asked,) = questions("sequence_classification", batch, loaded.tokenizer, 1)
    return [cut_off(text) for text in texts_of(asked.inputs["input_ids"], loaded.tokenizer)]
