"""Packed batches of masked text: the padded batch of the same examples without its padding, and the same masks."""

from typing import Any

import numpy as np
import pytest
import torch

from quatrain.core.batches import IGNORED
from quatrain.data.masked_text import MaskedText
from quatrain.data.sampler import EVALUATION
from quatrain.tokenizers.tokenizer import Tokenizer

POEMS = [" ".join(["the mill by the river"] * (1 + number * 7 % 11)) for number in range(60)]


def module(tokenizer: Any, **changes: Any) -> MaskedText:
    data = MaskedText(tokenizer=tokenizer, **{"texts": POEMS, "batch_size": 4, "mask_probability": 0.4, **changes})
    data.setup()
    return data


@pytest.mark.parametrize("changes", [{}, {"whole_words": True, "mask_rule": "always"}, {"labels": "all", "seed": 4}])
def test_a_packed_batch_is_the_padded_one_without_padding(bert: Tokenizer, changes: dict[str, Any]):
    padded, packed = (module(bert, packing=packing, **changes).rows["train"] for packing in (False, True))
    keys = [(3, 5), (3, 0), (3, -1 - 7), (2, 11), (3, 12)]
    table: Any = padded.__getitems__(keys)
    batch: Any = packed.__getitems__(keys)
    real = table["attention_mask"] == 1
    lengths = real.sum(axis=1)
    assert len(set(lengths.tolist())) > 1
    names = {"input_ids", "position_ids", "labels", "scored_places", "cu_seqlens", "max_seqlen", "example_ids"}
    assert set(batch) == names
    assert batch["scored_places"].tolist() == np.flatnonzero(batch["labels"] != IGNORED).tolist()
    for name in ("input_ids", "labels"):
        assert batch[name].shape == (1, lengths.sum())
        assert (batch[name][0] == table[name][real]).all()
    assert (batch["position_ids"][0] == np.nonzero(real)[1]).all()
    assert batch["cu_seqlens"].dtype == np.int32
    assert batch["cu_seqlens"].tolist() == [0, *np.cumsum(lengths)]
    assert batch["max_seqlen"] == lengths.max()
    assert batch["example_ids"].tolist() == table["example_ids"].tolist() == [5, 0, -8, 11, 12]


def test_a_filler_asks_for_nothing(bert: Tokenizer):
    batch = (
        module(bert, packing=True, mask_probability=0.9)
        .rows["validation"]
        .__getitems__([(EVALUATION, 0), (EVALUATION, -1), (EVALUATION, 1)])
    )
    first, second, third = np.split(batch["labels"][0], batch["cu_seqlens"][1:-1])
    assert (first != IGNORED).any()
    assert (second == IGNORED).all()
    assert (third != IGNORED).any()


@pytest.mark.parametrize("bucketing", [False, True])
def test_what_the_loaders_give(bert: Tokenizer, bucketing: bool):
    """Tensors, the length a plain number; every example once; with a budget batches of about as many tokens."""
    data = module(bert, packing=True, bucketing=bucketing)
    batches = list(data.train_dataloader())
    assert len(batches) == len(list(module(bert).train_dataloader()))
    assert sorted(number for batch in batches for number in batch["example_ids"].tolist()) == list(range(54))
    for batch in batches:
        assert type(batch["max_seqlen"]) is int
        assert batch["input_ids"].dtype == batch["position_ids"].dtype == torch.int64
        assert batch["cu_seqlens"].dtype == torch.int32
        assert batch["cu_seqlens"][-1] == batch["input_ids"].shape[1]
        assert bucketing or len(batch["example_ids"]) in (4, 2)
    tokens = [batch["input_ids"].numel() for batch in batches]
    longest = max(batch["max_seqlen"] for batch in batches)
    assert sum(tokens) == data.summary["tokens/train"]
    if bucketing:
        assert max(tokens) <= np.mean(tokens) + longest / 2
    held_out = [number for batch in data.val_dataloader() for number in batch["example_ids"].tolist()]
    assert sorted(held_out) == list(range(6))


def test_rows_to_predict_are_padded_and_in_order(bert: Tokenizer):
    data = module(bert, packing=True, bucketing=True, test_share=0.3)
    batches = list(data.predict_dataloader())
    assert all(batch["input_ids"].shape == batch["attention_mask"].shape for batch in batches)
    rows = [number for batch in batches for number in batch["example_ids"].tolist()]
    assert rows == list(range(data.summary["examples/test"]))  # type: ignore[arg-type]


def test_training_that_is_not_shuffled_is_not_by_length(bert: Tokenizer):
    batches = [
        batch["example_ids"].tolist() for batch in module(bert, bucketing=True, shuffle=False).train_dataloader()
    ]
    assert batches == [list(range(start, min(start + 4, 54))) for start in range(0, 54, 4)]
