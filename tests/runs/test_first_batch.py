"""A batch in plain values, by hand: names of dimensions, the first row, packed examples, batches of others."""

from typing import Any

import pytest
import torch

from quatrain.core.batches import IGNORED
from quatrain.runs.first_batch import first_row, named_entries, packing, tensors
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE

LINES = ["the river runs below the hill", "a lantern burns above the mill"]


@pytest.fixture(scope="module")
def roberta() -> Tokenizer:
    return ByteLevelBPE(vocab_size=300, min_frequency=1).fit(lambda: LINES)


def shapes(batch: dict[str, Any]) -> dict[str, list[tuple[str | None, int]]]:
    return {one["name"]: list(zip(one["dimensions"], one["shape"], strict=True)) for one in tensors(batch)}


def test_labels_are_one_for_each_example_or_one_for_each_token() -> None:
    pairs = {"input_ids": torch.zeros(2, 5, dtype=torch.int64), "labels": torch.zeros(2)}
    assert shapes(pairs) == {"input_ids": [("batch", 2), ("seq", 5)], "labels": [("batch", 2)]}
    tokens = {**pairs, "labels": torch.zeros(2, 5), "scored_places": torch.zeros(3)}
    assert shapes(tokens)["labels"] == [("batch", 2), ("seq", 5)]
    assert shapes(tokens)["scored_places"] == [("scored", 3)]
    assert [one["dtype"] for one in tensors(pairs)] == ["int64", "float32"]


def test_a_packed_batch_tells_where_its_examples_end_and_shows_the_first(roberta: Tokenizer) -> None:
    ids = roberta.encode(["the hill", "a mill runs"])
    flat = torch.tensor([[*ids[0], *ids[1]]], dtype=torch.int64)
    ends = torch.tensor([0, len(ids[0]), flat.shape[1]], dtype=torch.int32)
    labels = torch.full_like(flat, IGNORED)
    labels[0, 1] = int(ids[0][1])
    batch = {
        "input_ids": flat,
        "position_ids": torch.cat([torch.arange(len(ids[0])), torch.arange(len(ids[1]))])[None],
        "labels": labels,
        "cu_seqlens": ends,
        "max_seqlen": len(ids[1]),
        "example_ids": torch.tensor([7, 3]),
    }
    assert packing(batch) == {"examples": 2, "tokens": flat.shape[1], "ends": ends[1:].tolist()}
    assert shapes(batch)["input_ids"] == [("1", 1), ("tokens", flat.shape[1])]
    assert shapes(batch)["cu_seqlens"] == [("batch + 1", 3)]
    assert tensors(batch)[4] == {
        "name": "max_seqlen",
        "shape": [],
        "dimensions": [],
        "dtype": "int",
        "value": len(ids[1]),
    }
    row = first_row(batch, roberta, labels_are_tokens=True)
    assert row is not None
    assert row["columns"]["input_ids"] == ids[0].tolist()
    assert row["columns"]["position_ids"] == list(range(len(ids[0])))
    assert row["text"] == "the hill"
    assert row["values"] == {"example_ids": 7}
    asked = row["columns_as_tokens"]["labels"]
    assert asked is not None
    assert asked[1] == row["tokens"][1]
    assert set(asked) - {asked[1]} == {None}


def test_labels_that_are_no_tokens_are_not_read_as_such(roberta: Tokenizer) -> None:
    """A tagger's labels lie as the ids do, and are classes."""
    batch = {"input_ids": torch.zeros(1, 3, dtype=torch.int64), "labels": torch.tensor([[2, 0, 1]])}
    row = first_row(batch, roberta, labels_are_tokens=False)
    assert row is not None
    assert row["columns"]["labels"] == [2, 0, 1]
    assert row["columns_as_tokens"] == {}


def test_what_others_give_is_told_as_far_as_it_is_alike(roberta: Tokenizer) -> None:
    """Dimensions that ours would have are named where the sizes agree; ids beyond the vocabulary are no token."""
    batch = {
        "input_ids": torch.tensor([[0, 10**6, -5]]),
        "labels": torch.zeros(1, 4),
        "pixels": torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        "note": ["x"],
    }
    assert shapes(batch)["labels"] == [("batch", 1), (None, 4)]
    assert shapes(batch)["pixels"] == [("batch", 1), ("seq", 3), (None, 8), (None, 8)]
    assert tensors(batch)[3] == {"name": "note", "shape": [], "dimensions": [], "dtype": "list"}
    row = first_row(batch, None, labels_are_tokens=False)
    assert row is not None
    assert row["tokens"] is None
    assert row["text"] is None
    del batch["note"]
    named = first_row({"input_ids": torch.tensor([[0, 10**6, -5]])}, roberta.hf, labels_are_tokens=False)
    assert named is not None
    assert named["text"] is None
    assert named["tokens"] == ["<s>", None, None]


def test_batches_without_names_or_ids() -> None:
    batch = named_entries((torch.zeros(2, 3), torch.zeros(2)))
    assert [one["name"] for one in tensors(batch)] == ["0", "1"]
    assert tensors(batch)[0]["dimensions"] == [None, None]
    assert first_row(batch, None, labels_are_tokens=False) is None
    assert named_entries(5) == {"0": 5}
    assert packing(batch) is None
