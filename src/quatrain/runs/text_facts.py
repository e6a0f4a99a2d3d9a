"""How a tokenizer cuts a training text: tokens per word, and how long the examples are before they are cut."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from quatrain.corpora.pair_corpus import PairCorpus
from quatrain.corpora.text import TextCorpus

MOST_CHARACTERS = 1 << 20
"""Of the training split that is looked at."""

MOST_ROWS = 5000
MOST_BINS = 32

Unit = tuple[tuple[str, ...], bool]
"""The texts of an example, and whether they are all of it."""


def text_facts(data: Any, tokenizer: Any) -> dict[str, Any]:
    """Return ``tokens_per_word`` (words lie between white space) and ``lengths`` of the data module's training split.

    ``lengths``: ``counts`` of examples by tokens, special ones too, between ``edges``, each bin with its lower edge and
    without its upper one; ``max_length`` and the ``truncated`` share; ``unit``, what an example is: rows, lines, poems
    or documents, the last where text is cut into windows or blocks, of which nothing is lost; and ``of``, how many were
    counted. Of a large corpus it is the beginning, of pairs some `MOST_ROWS` evenly spread. What the data does not tell
    is left out.
    """
    corpus = data.corpus()
    unit = _unit(data, corpus)
    if unit is None:
        return {}
    units = list(_pairs(corpus) if isinstance(corpus, PairCorpus) else _texts(corpus, unit))
    encoded = iter(tokenizer.encode([text for texts, _ in units for text in texts]))
    sizes = [sum(len(next(encoded)) for _ in texts) for texts, _ in units]
    words = sum(len(text.split()) for texts, _ in units for text in texts)
    special = 0 if unit == "documents" else _special(tokenizer, units)
    whole = [size + special for size, (_, all_of_it) in zip(sizes, units, strict=True) if all_of_it]
    facts: dict[str, Any] = {"tokens_per_word": sum(sizes) / words} if words else {}
    if whole:
        facts["lengths"] = {
            **histogram(whole),
            "max_length": data.max_length,
            "truncated": 0.0 if unit == "documents" else float(data.summary["truncated/train"]),
            "unit": unit,
            "of": len(whole),
        }
    return facts


def histogram(lengths: Sequence[int]) -> dict[str, list[int]]:
    """``edges`` and ``counts`` of at most `MOST_BINS` bins of the same whole width, from 0 on."""
    wide = max(1, -(-(max(lengths) + 1) // MOST_BINS))
    edges = np.arange(0, max(lengths) + 1 + wide, wide)
    return {"edges": edges.tolist(), "counts": np.bincount(np.asarray(lengths) // wide, minlength=0).tolist()}


def _unit(data: Any, corpus: Any) -> str | None:
    if isinstance(corpus, PairCorpus):
        return "rows"
    if not isinstance(corpus, TextCorpus):
        return None
    return {"line": "lines", "poem": "poems"}.get(getattr(data, "example", ""), "documents")


def _special(tokenizer: Any, units: Sequence[Unit]) -> int:
    parts = tokenizer.wrap_pair() if units and len(units[0][0]) == 2 else tokenizer.wrap()
    return sum(map(len, parts))


def _pairs(corpus: PairCorpus) -> Iterator[Unit]:
    columns = [corpus.columns["train"][name] for name in corpus.text_columns]
    size, taken = len(columns[0]), 0
    count = min(size, MOST_ROWS)
    for row in (number * size // count for number in range(count)):
        texts = tuple(column[row] for column in columns)
        yield texts, True
        taken += sum(map(len, texts))
        if taken >= MOST_CHARACTERS:
            return


def _texts(corpus: TextCorpus, unit: str) -> Iterator[Unit]:
    """Examples from the first documents; of a document that is long its beginning."""
    document, taken = "", 0
    for piece, ends in corpus.pieces("train"):
        document += piece[: MOST_CHARACTERS - taken]
        taken += len(piece)
        ends = ends and taken <= MOST_CHARACTERS
        if ends or taken >= MOST_CHARACTERS:
            yield from _examples(document, unit, ends)
            document = ""
        if taken >= MOST_CHARACTERS:
            return


def _examples(document: str, unit: str, ends: bool) -> Iterator[Unit]:
    texts = [line for line in document.split("\n") if line.strip()] if unit == "lines" else [document]
    for number, text in enumerate(texts, 1):
        yield (text,), ends or number < len(texts)
