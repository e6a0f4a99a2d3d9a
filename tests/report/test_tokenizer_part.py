"""Lengths of texts in the report: of what is cut into windows nothing is said to be cut off."""

from pathlib import Path
from typing import Any

import pytest

from quatrain.core.json_text import as_json
from quatrain.report.run_report import write_run_report

from .report_runs import hostile_run


def page_of(folder: Path, edges: list[int], counts: list[int], unit: str, truncated: float = 0.0) -> str:
    run = hostile_run(folder / "run", "causal_lm", rows=20)
    lengths: dict[str, Any] = {"edges": edges, "counts": counts, "max_length": 256, "truncated": truncated}
    tokenizer = {"kind": "byte-level BPE", "vocab_size": 2500, "tokens_per_word": 1.8, "longest": []}
    content = {"tokenizer": {**tokenizer, "lengths": {**lengths, "unit": unit}}}
    run.examples.write_text(as_json(content), encoding="utf-8")
    return write_run_report(run).read_text(encoding="utf-8")


def test_one_book_is_a_sentence_and_no_histogram(tmp_path: Path) -> None:
    page = page_of(tmp_path, [0, 300_000, 340_000], [0, 1], "documents")
    assert "The text is one document, read in rows of at most 256 tokens; nothing is cut off." in page
    assert "Histogram of the lengths" not in page
    assert "where they are cut" not in page


def test_of_many_documents_the_lengths_are_drawn_and_nothing_is_cut_off(tmp_path: Path) -> None:
    page = page_of(tmp_path, [0, 200, 400], [30, 20], "documents")
    assert "Histogram of the lengths of 50 documents in tokens. Nothing of them is cut off" in page
    assert "cut at 256" not in page


@pytest.mark.parametrize(
    ("truncated", "words"), [(0.0, "None is longer than 256 tokens"), (0.25, "25.0% are longer than 256 tokens")]
)
def test_rows_are_cut(truncated: float, words: str, tmp_path: Path) -> None:
    page = page_of(tmp_path, [0, 200, 400], [30, 10], "rows", truncated)
    assert words in page
    assert "cut at 256" in page
