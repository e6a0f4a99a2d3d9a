"""A source as one held-out split: all of it, or the one that it brings, which needs none to train on."""

import json
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.one_split import choose, pairs_of_split, text_of_split
from quatrain.corpora.pair_labels import LabelScheme

CLASSES = LabelScheme(("no", "yes"), given=True)


def rows(path: Path, texts: list[str], **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text, "label": "yes", **more}) + "\n" for text in texts))


def test_a_text_whole(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n\nthree\n")
    corpus = text_of_split(str(tmp_path / "a.txt"), None, documents="paragraphs")
    assert corpus.splits == ("test",)
    assert list(corpus.documents("test")) == ["one", "two", "three"]
    assert corpus.characters("test") == len("onetwothree")
    assert [split for split, _, _ in corpus.stream()] == ["test"] * 3


def test_the_split_is_a_part_of_the_fingerprint(tmp_path: Path) -> None:
    """What is prepared is kept by it, in files that are named after the split."""
    (tmp_path / "a.txt").write_text("one\n")
    fingerprints = {text_of_split(str(tmp_path / "a.txt"), split).fingerprint for split in (None, "test", "validation")}
    assert len(fingerprints) == 2


def test_the_own_split_of_a_folder_of_texts(tmp_path: Path) -> None:
    rows(tmp_path / "test.jsonl", ["one", "two"])
    rows(tmp_path / "dev.jsonl", ["three"])
    assert list(text_of_split(str(tmp_path), None).documents("test")) == ["one", "two"]
    assert list(text_of_split(str(tmp_path), "validation").documents("validation")) == ["three"]
    rows(tmp_path / "train.jsonl", ["four"])
    assert list(text_of_split(str(tmp_path), "test").documents("test")) == ["one", "two"]


def test_the_own_split_of_a_folder_of_pairs(tmp_path: Path) -> None:
    rows(tmp_path / "test.jsonl", ["one", "two"])
    corpus = pairs_of_split(str(tmp_path), None, labels=lambda told: CLASSES)
    assert corpus.columns == {"test": {"text_a": ["one", "two"], "label": [1, 1], "idx": [0, 1]}}
    assert corpus.text_columns == ("text_a",)
    rows(tmp_path / "test.csv", ["one"])
    with pytest.raises(UserError, match="two files for test"):
        pairs_of_split(str(tmp_path), None, labels=lambda told: CLASSES)


def test_pairs_of_a_source_that_tells_its_classes() -> None:
    """Embedded pairs do; a file does not, but for the task of GLUE that it is said to be."""
    told: list[Any] = []

    def labels(names: Any) -> LabelScheme:
        told.append(names)
        return CLASSES

    corpus = pairs_of_split("verse", "validation", labels=labels, verse_size=50)
    assert list(corpus.columns) == ["validation"]
    assert len(corpus.columns["validation"]["label"]) == 50
    assert told == [("not_equivalent", "equivalent")]


def test_a_file_needs_labels(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,lable\none,yes\n")
    with pytest.raises(UserError, match=r"no column label \(did you mean lable\?\)"):
        pairs_of_split(str(tmp_path / "a.csv"), None, labels=lambda told: CLASSES)


def test_a_hash_is_of_one_file(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        rows(tmp_path / f"{name}.jsonl", ["one"])
    with pytest.raises(UserError, match="hash of one file"):
        text_of_split(str(tmp_path), None, sha256="0" * 64)
    with pytest.raises(UserError, match="hash of one file"):
        pairs_of_split(str(tmp_path), None, labels=lambda told: CLASSES, sha256="0" * 64)
    with pytest.raises(UserError, match=r"needs data\.sha256=HASH"):
        pairs_of_split("https://example.org/test.jsonl", None, labels=lambda told: CLASSES)


def test_choosing() -> None:
    assert choose("x", None, None) == "test"
    assert choose("x", None, "validation") == "validation"
    assert choose("x", ("train", "validation", "test"), None) == "test"
    assert choose("x", ("train", "validation"), None) == "validation"
    assert choose("x", ("train", "validation_matched", "test_matched"), None) == "test_matched"
    assert choose("x", ("train", "validation_matched"), "validation_matched") == "validation_matched"


@pytest.mark.parametrize(
    ("own", "asked", "sentence"),
    [
        (None, "train", "data.source=x has no splits, so all of it is scored; leave --split train out."),
        (("train",), None, "data.source=x has no held-out split but train"),
        (("train", "test"), "validation", "data.source=x has no held-out split validation but train, test"),
        (("train", "test"), "train", "data.source=x has no held-out split train but train, test"),
    ],
)
def test_splits_that_are_not_there(own: Any, asked: str | None, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        choose("x", own, asked)
    assert error.value.sentences[0].startswith(sentence)
