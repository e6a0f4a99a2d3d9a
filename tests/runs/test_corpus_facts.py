"""What is told of a corpus, by hand: counts of labels, and the first rows without reading more than they need."""

from collections.abc import Iterator
from typing import Any

import pytest

from quatrain.corpora.pairs import pairs_from_memory
from quatrain.corpora.text import TextCorpus, text_from_memory
from quatrain.runs.corpus_facts import LONGEST, corpus_facts, label_counts


def test_labels_are_counted_by_number_and_name() -> None:
    assert label_counts([0, 1, 1, -1], ("no", "yes")) == {"0 no": 1, "1 yes": 2, "unlabelled": 1}
    assert label_counts([2, 0, 2], ("0", "1", "2")) == {"0": 1, "1": 0, "2": 2}
    assert label_counts([1.0, 4.0, 2.5], None) == {"least": 1.0, "mean": 2.5, "largest": 4.0}
    assert label_counts([-1, -1], None) == {"unlabelled": 2}


def test_pairs_tell_columns_classes_and_two_rows() -> None:
    rows = [{"sentence1": f"a {n}", "sentence2": "b" * 2 * LONGEST, "label": n % 2} for n in range(4)]
    facts = corpus_facts(pairs_from_memory({"train": rows, "validation": rows[:1]}, label_names=["no", "yes"]))
    assert facts["features"] == {
        "text_a": "string",
        "text_b": "string",
        "label": "class, int64: 0 no, 1 yes",
        "idx": "int64",
    }
    assert facts["labels"] == {"train": {"0 no": 2, "1 yes": 2}, "validation": {"0 no": 1, "1 yes": 0}}
    first, second = facts["raw_rows"]
    assert (first["text_a"], first["label"]) == ("a 0", "0 no")
    assert second["label"] == "1 yes"
    assert first["text_b"] == "b" * LONGEST + "…"


def test_of_a_long_text_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows cost as many pieces as lie before the second of them ends."""
    corpus = text_from_memory(["word " * 10, "another " * 10, *(["more"] * 50)], validation_share=0)
    given = 0
    whole = TextCorpus.pieces

    def counted(self: TextCorpus, split: str) -> Iterator[tuple[str, bool]]:
        nonlocal given
        for piece in whole(self, split):
            given += 1
            yield piece

    monkeypatch.setattr(TextCorpus, "pieces", counted)
    facts = corpus_facts(corpus)
    assert [row["text"].split()[0] for row in facts["raw_rows"]] == ["word", "another"]
    assert given == 2
    assert facts["features"] == {"text": "string"}


@pytest.mark.parametrize("corpus", [None, {"train": ["a"]}, object()])
def test_of_anything_else_nothing_is_told(corpus: Any) -> None:
    assert corpus_facts(corpus) == {"name": None, "features": {}, "labels": {}, "raw_rows": []}
