"""What is written reads back as the same documents and splits, says what was changed, and is never half there."""

import errno
import json

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.processed import write_text
from quatrain.corpora.text import load_text, text_from_memory

TEXT = (
    "\ufeffI\r\n\r\nOne “line”\\\r\nand another\x07\r\n\r\n"
    "II\r\n\r\n  Thir\td line\u2028fourth\r\n\r\nIII\r\n\r\nlast\r\n"
)


def same(first, second):
    assert first.splits == second.splits
    for split in first.splits:
        assert list(first.documents(split)) == list(second.documents(split))


@pytest.mark.parametrize("documents", ["whole", "paragraphs", "lines", "sonnets"])
@pytest.mark.parametrize("split", ["random", "contiguous"])
def test_a_written_corpus_reads_back_the_same(tmp_path, documents, split):
    (tmp_path / "raw.txt").write_bytes(TEXT.encode())
    share = 0.34 if documents != "whole" or split == "contiguous" else 0
    corpus = load_text(str(tmp_path / "raw.txt"), documents=documents, split=split, validation_share=share)
    folder = write_text(corpus, tmp_path / "new" / "processed")
    same(corpus, load_text(str(folder), validation_share=share))
    same(corpus, load_text(str(folder), documents=documents, validation_share=share))
    assert load_text(str(folder), documents=documents, validation_share=share).report.counts == {}


def test_the_report_holds_sizes_recipe_counts_and_examples(tmp_path):
    (tmp_path / "raw.txt").write_bytes(TEXT.encode())
    corpus = load_text(str(tmp_path / "raw.txt"), documents="sonnets", validation_share=0.34)
    folder = write_text(corpus, tmp_path / "processed")
    report = json.loads((folder / "report.json").read_text())
    assert report["fingerprint"] == corpus.fingerprint
    assert report["splits"]["train"] == {"documents": 2, "characters": corpus.characters("train")}
    assert report["recipe"]["documents"] == "sonnets"
    counts = {rule: change["count"] for rule, change in report["changes"].items()}
    assert counts == {"newlines": 13, "byte_order_mark": 1, "control_characters": 1}
    readable = (folder / "report.md").read_text()
    assert "| validation | 1 |" in readable
    assert "raw.txt, line 4:" in readable
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.json",
        "report.md",
        "train.jsonl",
        "validation.jsonl",
    ]


def test_an_existing_folder_is_refused_and_untouched(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("precious")
    with pytest.raises(UserError, match=r"folder=.*mine exists already"):
        write_text(text_from_memory("text", validation_share=0), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("number", "kind", "sentence"),
    [(errno.ENOSPC, NotNow, "no space is left"), (errno.EACCES, UserError, "cannot be written")],
)
def test_a_failing_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, number, kind, sentence):
    def fail(*_):
        raise OSError(number, "the disk says no")

    monkeypatch.setattr("quatrain.corpora.processed._readable", fail)
    with pytest.raises(kind, match=sentence):
        write_text(text_from_memory("text", validation_share=0), tmp_path / "processed")
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_text_leaves_nothing(tmp_path):
    (tmp_path / "raw.txt").write_bytes(b"x" * 70000 + b"\xff")
    with pytest.raises(UserError, match="byte 70000"):
        write_text(load_text(str(tmp_path / "raw.txt"), validation_share=0), tmp_path / "processed")
    assert [path.name for path in tmp_path.iterdir()] == ["raw.txt"]
