"""A corpus in plain values: what a row holds, how often each label comes, and the first rows as they were read."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from quatrain.corpora.pair_corpus import TEXTS, PairCorpus
from quatrain.corpora.text import TextCorpus

ROWS = 2
LONGEST = 1000
"""Characters of a raw row that are kept; a document may be a whole book."""

_UNLABELLED = -1


def corpus_facts(corpus: Any) -> dict[str, Any]:
    """Return ``name``, ``features`` (column to type), ``labels`` (split to counts) and ``raw_rows`` of training.

    A raw row has the value of each column, of a text at most `LONGEST` characters and then "…". What is no corpus of
    ours gives nothing.
    """
    if isinstance(corpus, PairCorpus):
        return _of_pairs(corpus)
    if isinstance(corpus, TextCorpus):
        rows = [{"text": text} for text in _beginnings(corpus)]
        return {"name": corpus.name, "features": {"text": "string"}, "labels": {}, "raw_rows": rows}
    return {"name": None, "features": {}, "labels": {}, "raw_rows": []}


def own_names(data: Any) -> dict[str, str]:
    """The user's names of the columns of texts, where the data module was given them, by those of a `PairCorpus`.

    A name that a row has for something else, its label or number, is left as the corpus has it.
    """
    given = getattr(data, "text_columns", None) or ()
    return {column: name for column, name in zip(TEXTS, given, strict=False) if name not in ("label", "idx", *TEXTS)}


def _of_pairs(corpus: PairCorpus) -> dict[str, Any]:
    names = corpus.label_names
    label = "score, float64" if names is None else f"class, int64: {', '.join(_classes(names))}"
    train = corpus.columns["train"]
    rows = [
        {
            **{column: cut_off(train[column][number]) for column in corpus.text_columns},
            "label": _label(train["label"][number], names),
            "idx": train["idx"][number],
        }
        for number in range(min(ROWS, len(train["label"])))
    ]
    return {
        "name": corpus.name,
        "features": {**dict.fromkeys(corpus.text_columns, "string"), "label": label, "idx": "int64"},
        "labels": {split: label_counts(columns["label"], names) for split, columns in corpus.columns.items()},
        "raw_rows": rows,
    }


def label_counts(labels: list[Any], names: tuple[str, ...] | None) -> dict[str, int | float]:
    """Count each class by its number and name, those without a label last; of scores the least, mean and largest."""
    known = [label for label in labels if label != _UNLABELLED]
    if names is None:
        told = {"least": min(known), "mean": sum(known) / len(known), "largest": max(known)} if known else {}
    else:
        counts = Counter(known)
        told = {shown: counts[number] for number, shown in enumerate(_classes(names))}
    return told | ({"unlabelled": len(labels) - len(known)} if len(known) < len(labels) else {})


def cut_off(text: str) -> str:
    """``text`` as it is kept: at most `LONGEST` characters of it, and then "…"."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _classes(names: tuple[str, ...]) -> list[str]:
    return [str(number) if name == str(number) else f"{number} {name}" for number, name in enumerate(names)]


def _label(label: Any, names: tuple[str, ...] | None) -> Any:
    return label if names is None or label == _UNLABELLED else _classes(names)[label]


def _beginnings(corpus: TextCorpus) -> Iterator[str]:
    """The beginnings of the first documents of the training split; of a long one no more than a piece is read."""
    found, begins = 0, True
    for piece, ends in corpus.pieces("train"):
        if begins:
            yield cut_off(piece)
            found += 1
        if found == min(ROWS, corpus.count("train")):
            return
        begins = ends
