"""A corpus reads the same documents from every format, gives them again each time, and knows when it is another."""

import csv
import gzip
import json
import shutil

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.text import load_text, text_from_memory

ROWS = ["One text,\nof two lines.", 'A "quoted", text', "Déjà vu\n\nthrice"]


def write_rows(path, rows=ROWS, column="text"):
    """Write rows in the format that the file's ending names."""
    name = path.name.removesuffix(".gz")
    plain = path.with_name(name)
    if name.endswith(".parquet"):
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"id": list(range(len(rows))), column: rows}), plain)
    elif name.endswith(".jsonl"):
        plain.write_text("".join(json.dumps({"id": n, column: row}) + "\n" for n, row in enumerate(rows)), "utf-8")
    else:
        with plain.open("w", newline="", encoding="utf-8") as out:
            table = csv.writer(out, delimiter="\t" if name.endswith(".tsv") else ",")
            table.writerows([["id", column], *enumerate(rows)])
    if path != plain:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()


def all_documents(source, **arguments):
    return list(load_text(str(source), validation_share=0, **arguments).documents("train"))


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet", "jsonl.gz", "csv.gz", "tsv.gz", "parquet.gz"])
def test_every_record_format_gives_its_rows(tmp_path, suffix):
    write_rows(tmp_path / f"rows.{suffix}", column="poem")
    assert all_documents(tmp_path / f"rows.{suffix}", text_column="poem") == ROWS


@pytest.mark.parametrize(
    ("documents", "found"),
    [
        ("whole", ["one\ntwo\n\n \nthree\n"]),
        ("paragraphs", ["one\ntwo", "three"]),
        ("lines", ["one", "two", "three"]),
    ],
)
@pytest.mark.parametrize("suffix", ["txt", "txt.gz"])
def test_a_plain_file_is_one_document_or_many(tmp_path, suffix, documents, found):
    raw = b"one\r\ntwo\r\n\r\n \r\nthree\r\n"
    file = tmp_path / f"text.{suffix}"
    file.write_bytes(gzip.compress(raw) if suffix.endswith("gz") else raw)
    assert all_documents(file, documents=documents) == found


def test_folders_and_globs_are_read_in_order_of_names(tmp_path):
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "notes.md").write_text("not a text of the corpus")
    (tmp_path / ".hidden.txt").write_text("hidden")
    assert all_documents(tmp_path) == ["a", "b", "c"]
    assert all_documents(tmp_path / "[ab].txt") == ["a", "b"]


def test_a_folder_with_a_train_file_brings_its_own_splits(tmp_path):
    for name in ("train.txt", "dev.jsonl", "test-00000-of-00001.jsonl", "other.txt"):
        write_rows(tmp_path / name, [name]) if name.endswith("jsonl") else (tmp_path / name).write_text(name)
    corpus = load_text(str(tmp_path), validation_share=0.5)
    assert {split: list(corpus.documents(split)) for split in corpus.splits} == {
        "train": ["train.txt"],
        "validation": ["dev.jsonl"],
        "test": ["test-00000-of-00001.jsonl"],
    }


def test_an_own_split_without_text_is_told(tmp_path):
    (tmp_path / "train.txt").write_text("text")
    (tmp_path / "validation.txt").write_text(" \n")
    with pytest.raises(UserError, match="validation split holds no text"):
        load_text(str(tmp_path)).documents("train")


def test_memory_takes_a_text_texts_or_splits_of_texts():
    assert list(text_from_memory("a b", validation_share=0).documents("train")) == ["a b"]
    assert list(text_from_memory(iter(["a", "b"]), validation_share=0).documents("train")) == ["a", "b"]
    corpus = text_from_memory({"train": ["a"], "validation": ["b", "c"]})
    assert {split: list(corpus.documents(split)) for split in corpus.splits} == {
        "train": ["a"],
        "validation": ["b", "c"],
    }
    with pytest.raises(UserError, match="split valid is unknown"):
        text_from_memory({"train": ["a"], "valid": ["b"]})
    with pytest.raises(UserError, match="Text 2 is a int"):
        text_from_memory(["a", 2])


def test_blank_rows_are_dropped_and_reported(tmp_path):
    write_rows(tmp_path / "rows.jsonl", ["a", " \n", "", "b"])
    corpus = load_text(str(tmp_path / "rows.jsonl"), validation_share=0)
    assert list(corpus.documents("train")) == ["a", "b"]
    assert corpus.report.counts == {"empty_documents": 2}
    assert [example.line for example in corpus.report.examples["empty_documents"]] == [2, 3]


def test_counts_characters_and_repeated_passes_agree():
    corpus = text_from_memory([f"text {number}" for number in range(50)], validation_share=0.2)
    for split in corpus.splits:
        first, second = list(corpus.documents(split)), list(corpus.documents(split))
        assert first == second
        assert (corpus.count(split), corpus.characters(split)) == (len(first), sum(map(len, first)))
    assert [(split, piece) for split, piece, ends in corpus.stream() if ends] == sorted(
        ((split, document) for split in corpus.splits for document in corpus.documents(split)),
        key=lambda pair: int(pair[1].split()[1]),
    )
    assert (corpus.count("test"), corpus.characters("test")) == (0, 0)
    with pytest.raises(UserError, match="has no test split; it holds train, validation"):
        corpus.documents("test")


def test_the_fingerprint_tells_content_and_recipe_apart_but_not_the_place(tmp_path):
    file = tmp_path / "one.txt"
    file.write_text("some text\n")
    base = load_text(str(file)).fingerprint
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(file, tmp_path / "elsewhere" / "two.txt")
    assert load_text(str(tmp_path / "elsewhere" / "two.txt")).fingerprint == base
    others = [
        load_text(str(file), documents="lines"),
        load_text(str(file), cleaning=Cleaning(unicode_nfc=False)),
        load_text(str(file), split_seed=1),
        load_text(str(file), validation_share=0.2),
        load_text(str(file), split="contiguous"),
        text_from_memory("some text\n"),
    ]
    file.write_text("some other text\n")
    assert len({base, load_text(str(file)).fingerprint, *(corpus.fingerprint for corpus in others)}) == 8


def test_verse_is_made_as_it_is_read():
    corpus = load_text("verse", verse_size=40, verse_seed=3, validation_share=0.25)
    assert [corpus.count(split) for split in corpus.splits] == [30, 10]
    assert corpus.name == "verse"
    assert corpus.report.counts == {}
    assert corpus.fingerprint == load_text("verse", verse_size=40, verse_seed=3, validation_share=0.25).fingerprint
    assert corpus.fingerprint != load_text("verse", verse_size=40, verse_seed=4, validation_share=0.25).fingerprint
    with pytest.raises(UserError, match=r"data\.verse_size=0 makes no poem"):
        load_text("verse", verse_size=0)


class FakeHub:
    """Stands in for the hub's library: a dataset of two splits at one commit."""

    def __init__(self, monkeypatch, splits):
        import datasets

        self.asked = []
        held = {split: datasets.Dataset.from_dict({"text": texts}) for split, texts in splits.items()}

        def load(name, config, revision):
            self.asked.append((name, config, revision))
            return held

        monkeypatch.setattr("datasets.load_dataset", load)
        monkeypatch.setattr("quatrain.corpora.hub_text.resolve_commit", lambda name, kind, revision, key: "c" * 40)


def test_a_hub_dataset_is_read_at_the_resolved_commit_with_its_own_splits(monkeypatch):
    hub = FakeHub(monkeypatch, {"train": ["a", "b"], "validation": ["c"]})
    corpus = load_text("hub:someone/texts:small", revision="main")
    assert {split: list(corpus.documents(split)) for split in corpus.splits} == {
        "train": ["a", "b"],
        "validation": ["c"],
    }
    assert hub.asked == [("someone/texts", "small", "c" * 40)]
    assert corpus.name == "texts"
    with pytest.raises(UserError, match=r"data\.text_column=txt: hub:someone/texts has no such column"):
        load_text("hub:someone/texts", text_column="txt").documents("train")


def test_a_hub_dataset_with_one_split_is_dealt(monkeypatch):
    FakeHub(monkeypatch, {"train": [f"text {number}" for number in range(10)]})
    corpus = load_text("hub:someone/texts", validation_share=0.2)
    assert [corpus.count(split) for split in corpus.splits] == [8, 2]
