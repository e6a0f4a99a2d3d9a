"""A part of held-out rows: evenly spread, each row as it is in the whole, and no more than a validation scored."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quatrain.data.pairs import SentencePairs
from quatrain.inference.held_out import HeldOut
from quatrain.inference.part import RowsPart, at_most, place_in_split, rows_of_a_validation
from quatrain.tokenizers.trained import WordPiece


def held_out(**changes: Any) -> HeldOut:
    rows = [{"text_a": "a b " * (1 + n % 3), "text_b": f"c {n}", "label": n % 2} for n in range(40)]
    data = SentencePairs(tokenizer=WordPiece(vocab_size=60), rows={"train": rows, "validation": rows})
    data.load()
    told: dict[str, Any] = {
        "rows": data.rows["validation"],
        "split": "validation",
        "source": "memory",
        "own": True,
        "fingerprint": "",
        "batch_size": 8,
        "max_length": 128,
        "metrics": ("accuracy",),
        "regression": False,
        "labels": ("no", "yes"),
        "characters": 100,
        "notes": (),
        "data": data,
    }
    return HeldOut(**{**told, **changes})


def test_rows_of_a_part_are_those_of_the_whole() -> None:
    whole = held_out()
    part = at_most(whole, tokens=10**6, rows=10)
    assert (len(part.rows), part.of, part.characters) == (10, 40, None)
    seen: dict[int, Any] = {}
    for batch in part.batches():
        for row, ids, mask in zip(batch["example_ids"], batch["input_ids"], batch["attention_mask"], strict=True):
            seen[int(row)] = ids[: int(mask.sum())].tolist()
    for number in range(10):
        place = place_in_split(part.rows, number)
        own = whole.rows.__getitems__([(-1, place)])
        assert place == 4 * number
        assert seen[number] == own["input_ids"][0].tolist()
        assert part.rows.labels[number] == own["labels"][0]  # type: ignore[attr-defined]
    assert place_in_split(whole.rows, 7) == 7


def test_a_filler_stays_one() -> None:
    part: Any = RowsPart(held_out().rows, np.array([3, 5]))
    batch = part.__getitems__([(-1, 1), (-1, -2)])
    assert batch["example_ids"].tolist() == [1, -2]
    assert (batch["input_ids"][0] == batch["input_ids"][1]).all()
    assert batch["labels"][1] == -100


def test_tokens_bound_the_rows_too_and_few_are_taken_whole() -> None:
    whole = held_out()
    mean = float(whole.rows.lengths(np.arange(40)).mean())  # type: ignore[attr-defined]
    part = at_most(whole, tokens=100)
    assert len(part.rows) == int(100 / mean)
    assert at_most(whole, tokens=10**6) is whole
    assert at_most(whole, tokens=10**6, rows=40) is whole
    assert len(at_most(whole, tokens=1).rows) == 1
    assert at_most(part, tokens=20).of == 40


@pytest.mark.parametrize(
    ("trainer", "rows"),
    [
        ({"limit_val_batches": None}, None),
        ({"limit_val_batches": 3}, 24),
        ({"limit_val_batches": 0.5}, 16),
        ({"limit_val_batches": 0}, 0),
        ({"overfit_batches": 1, "limit_val_batches": 1.0}, 8),
        ({"fast_dev_run": True}, 8),
    ],
)
def test_rows_of_a_validation(trainer: dict[str, Any], rows: int | None) -> None:
    assert rows_of_a_validation(replace(held_out(), batch_size=8), trainer) == rows
