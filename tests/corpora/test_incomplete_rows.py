"""Rows without a text or a label: refused with their place, or left out and counted, in each split by its own rule."""

from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.pairs import load_pairs, pairs_from_memory

GOOD = [{"text": f"a{n}", "label": n % 2} for n in range(10)]
BAD: list[dict[str, Any]] = [
    {"text": "", "label": 1},
    {"text": "\ufeff \x00", "label": 1},
    {"text": None, "label": 1},
    {"label": 0},
    {"text": "b", "label": " "},
    {"text": "c", "label": None},
    {"text": "d"},
]


def texts_of(splits: dict[str, Any]) -> tuple[dict[str, list[str]], int]:
    found = pairs_from_memory(splits, incomplete_rows="drop")
    texts = {split: columns["text_a"] for split, columns in found.columns.items()}
    return texts, found.report.counts.get("incomplete_rows", 0)


def test_incomplete_rows_are_left_out_and_counted() -> None:
    texts, dropped = texts_of({"train": [*GOOD, *BAD], "validation": GOOD})
    assert texts["train"] == [f"a{n}" for n in range(10)]
    assert dropped == len(BAD)


def test_a_test_split_keeps_its_rows_without_a_label() -> None:
    texts, dropped = texts_of({"train": GOOD, "validation": GOOD, "test": [*GOOD, *BAD]})
    assert texts["test"][10:] == ["b", "c", "d"]
    assert dropped == 4


def test_a_row_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("text,label\n" + "".join(f"a{n},{n % 2}\n" for n in range(30)) + ",1\nb,\n")
    with pytest.raises(UserError) as told:
        load_pairs(str(table), glue_task=None)
    ends = ("line 32: the text in column text is empty", "line 33: the label in column label is empty")
    assert len(told.value.sentences) == 2, "both kinds at once"
    assert all(end in sentence for end, sentence in zip(ends, told.value.sentences, strict=True))
    example = load_pairs(str(table), glue_task=None, incomplete_rows="drop").report.to_dict()["incomplete_rows"]
    assert (example["count"], [one["line"] for one in example["examples"]]) == (2, [32, 33])


def test_nothing_left_is_told() -> None:
    with pytest.raises(UserError, match=r"data\.incomplete_rows=drop leaves no row for train"):
        pairs_from_memory({"train": BAD, "validation": GOOD}, incomplete_rows="drop")
