"""A source that brings some splits has the missing ones dealt out of its train split, and never loses one silently."""

import datasets
import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.sources import check_source
from quatrain.corpora.text import load_text, text_from_memory

LINES = [f"line {number} of the text" for number in range(20)]


def write(folder, **texts):
    for name, lines in texts.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return str(folder)


def sizes(corpus):
    return {split: corpus.count(split) for split in corpus.splits}


def test_a_missing_validation_is_dealt_from_train_as_for_a_single_file(tmp_path):
    folder = write(tmp_path, train=LINES, test=["the last", "the very last"])
    corpus = load_text(folder, documents="lines", validation_share=0.25)
    assert sizes(corpus) == {"train": 15, "validation": 5, "test": 2}
    single = load_text(str(tmp_path / "train.txt"), documents="lines", validation_share=0.25)
    assert list(corpus.documents("validation")) == list(single.documents("validation"))
    assert list(corpus.documents("test")) == ["the last", "the very last"]
    assert sum(corpus.characters(split) for split in corpus.splits) == sum(map(len, LINES)) + 21


def test_a_folder_with_train_alone_is_dealt(tmp_path):
    folder = write(tmp_path, train=LINES)
    assert sizes(load_text(folder, documents="lines")) == {"train": 18, "validation": 2}
    assert sizes(load_text(folder, documents="lines", test_share=0.2)) == {"train": 14, "validation": 2, "test": 4}
    assert sizes(load_text(folder, documents="lines", validation_share=0)) == {"train": 20}


def test_a_share_of_nothing_is_told_with_the_way_out(tmp_path):
    folder = write(tmp_path, train=LINES, test=LINES)
    with pytest.raises(UserError, match="1 document leaves none for validation; add validation text to the source, or"):
        load_text(folder).documents("train")


def test_a_single_text_is_cut_inside_and_what_the_source_brings_stays_whole(tmp_path):
    folder = write(tmp_path, train=LINES, test=["one test", "in two lines"])
    corpus = load_text(folder, split="contiguous", validation_share=0.25)
    whole = "\n".join(LINES) + "\n"
    parts = {split: list(corpus.documents(split)) for split in corpus.splits}
    assert "".join(parts["train"] + parts["validation"]) == whole
    assert abs(len(parts["validation"][0]) - 0.25 * len(whole)) < 8
    assert parts["test"] == ["one test\nin two lines\n"]
    assert sizes(corpus) == {"train": 1, "validation": 1, "test": 1}
    assert {split: corpus.characters(split) for split in parts} == {
        split: sum(map(len, texts)) for split, texts in parts.items()
    }


def test_a_missing_test_is_cut_before_the_validation_that_is_there():
    corpus = text_from_memory({"train": ["a b c d e f g h"], "validation": ["x"]}, split="contiguous", test_share=0.25)
    parts = {split: list(corpus.documents(split)) for split in corpus.splits}
    assert parts == {"train": ["a b c d e f"], "validation": ["x"], "test": [" g h"]}


def test_many_documents_are_dealt_along_the_stream_of_train_alone():
    corpus = text_from_memory({"train": LINES, "test": LINES[:3]}, split="contiguous", validation_share=0.2)
    assert list(corpus.documents("validation")) == LINES[16:]
    assert list(corpus.documents("test")) == LINES[:3]


@pytest.mark.parametrize("names", [("test",), ("validation",), ("dev", "notes"), ("test", "validation")])
def test_held_out_files_without_train_are_no_training_data(tmp_path, names):
    folder = write(tmp_path, **dict.fromkeys(names, LINES))
    [sentence] = check_source(folder)
    assert f"{tmp_path}" in sentence
    assert "but none for train; add train.txt" in sentence
    with pytest.raises(UserError, match="none for train"):
        load_text(folder)


def test_a_glob_honours_names_of_splits_and_refuses_a_mixture(tmp_path):
    write(tmp_path, train=LINES, test=LINES[:2], notes=LINES[:1])
    assert sizes(load_text(str(tmp_path / "t*.txt"), documents="lines")) == {"train": 18, "validation": 2, "test": 2}
    assert sizes(load_text(str(tmp_path / "te*.txt"), documents="lines", validation_share=0)) == {"train": 2}
    [sentence] = check_source(str(tmp_path / "*.txt"))
    assert "matches files of a split (test.txt, train.txt) beside others (notes.txt); narrow the pattern" in sentence
    (tmp_path / "train.txt").unlink()
    (tmp_path / "dev.txt").write_text("held out")
    [sentence] = check_source(str(tmp_path / "*e*t.txt").replace("*e*t", "*[tv]"))
    assert "matches files of dev.txt, test.txt but none for train; widen the pattern" in sentence


def hub(monkeypatch, **splits):
    held = {split: datasets.Dataset.from_dict({"text": texts}) for split, texts in splits.items()}
    monkeypatch.setattr("datasets.load_dataset", lambda name, config, revision: held)
    monkeypatch.setattr("quatrain.corpora.hub_text.resolve_commit", lambda name, kind, revision, key: "c" * 40)


def test_a_hub_set_is_read_from_train_whatever_comes_first(monkeypatch):
    hub(monkeypatch, unsupervised=["u"] * 5, train=LINES)
    corpus = load_text("hub:some/films", validation_share=0.25)
    assert sizes(corpus) == {"train": 15, "validation": 5}
    assert "u" not in list(corpus.documents("train"))


def test_a_hub_set_without_validation_has_it_dealt(monkeypatch):
    hub(monkeypatch, test=["t"], train=LINES)
    assert sizes(load_text("hub:some/films")) == {"train": 18, "validation": 2, "test": 1}


def test_a_hub_set_without_train_is_told(monkeypatch):
    hub(monkeypatch, unsupervised=["u"], test=["t"])
    with pytest.raises(UserError, match=r"data\.source=hub:some/films has no split train but unsupervised, test; name"):
        load_text("hub:some/films").documents("train")


def test_texts_with_half_of_a_surrogate_pair_are_told():
    with pytest.raises(UserError, match=r"^Text 2: .*holds \\ud800, half of a pair and no character; mend"):
        text_from_memory(["fine", "broken \ud800 here"])


def test_texts_by_split_need_train():
    with pytest.raises(UserError, match="The texts hold nothing for train"):
        text_from_memory({"validation": ["a"]})


@pytest.mark.parametrize("split", ["random", "contiguous"])
def test_a_source_with_all_its_splits_is_left_as_it_is(split):
    texts = {"train": ["a b", "c d"], "validation": ["e f"], "test": ["g h", "i"]}
    corpus = text_from_memory(texts, split=split, validation_share=0.5, test_share=0.2)
    assert {name: list(corpus.documents(name)) for name in corpus.splits} == texts
    assert sizes(corpus) == {"train": 2, "validation": 1, "test": 2}
