"""What a closing table shows: one asked mask, gaps for the others, texts without special tokens."""

import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from quatrain.core.batches import IGNORED
from quatrain.tasks.samples import samples
from quatrain.tokenizers.trained import WordPiece

TEXTS = ["the cat sat on the mat", "a dog ran in the rain", "the cat ran", "a dog sat"]


def _tokenizer():
    return WordPiece(vocab_size=200, min_frequency=1).fit(lambda: TEXTS)


def _config(tokenizer, **more):
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    return BertConfig(vocab_size=tokenizer.vocab_size, **size, **more)


def test_a_masked_row_shows_the_asked_mask_and_gaps() -> None:
    torch.manual_seed(0)
    tokenizer = _tokenizer()
    (ids,) = tokenizer.encode([TEXTS[0]])
    before, after = tokenizer.wrap()
    row = torch.tensor([*before, *ids.tolist(), *after])
    labels = torch.full_like(row, IGNORED)
    for place in (2, 4, 6):  # cat, on, mat
        labels[place] = row[place]
        row[place] = tokenizer.mask_id
    batch = {"input_ids": row[None], "labels": labels[None], "attention_mask": torch.ones_like(row[None])}
    model = BertForMaskedLM(_config(tokenizer)).train()
    (sample,) = samples("masked_lm", model, tokenizer, batch)
    assert sample.shown == "the _ sat [MASK] the _"
    assert sample.right == "on"
    assert 0 < sample.probability < 1
    assert model.training


def test_a_row_with_nothing_masked_is_passed_over() -> None:
    tokenizer = _tokenizer()
    row = torch.tensor([[5, 6, 7]])
    batch = {"input_ids": row, "labels": torch.full_like(row, IGNORED), "attention_mask": torch.ones_like(row)}
    assert samples("masked_lm", BertForMaskedLM(_config(tokenizer)), tokenizer, batch) == []


def test_a_pair_shows_both_texts_and_the_label_by_name() -> None:
    tokenizer = _tokenizer()
    first, second = (ids.tolist() for ids in tokenizer.encode(TEXTS[2:]))
    before, between, after = tokenizer.wrap_pair()
    row = torch.tensor([[*before, *first, *between, *second, *after, tokenizer.pad_id]])
    batch = {"input_ids": row, "attention_mask": (row != tokenizer.pad_id).long(), "labels": torch.tensor([1])}
    model = BertForSequenceClassification(_config(tokenizer, num_labels=2))
    (sample,) = samples("sequence_classification", model, tokenizer, batch, label_names=("no", "yes"))
    assert sample.shown == "the cat ran | a dog sat"
    assert sample.said in ("no", "yes")
    assert sample.right == "yes"
