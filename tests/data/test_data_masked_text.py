"""The masked-text module: examples, truncation, splits by document, masks by epoch, what it refuses."""

from typing import Any

import numpy as np
import pytest

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.data.masked_text import MaskedText
from quatrain.data.sampler import EVALUATION
from quatrain.tokenizers.tokenizer import Tokenizer

POEMS = [f"the {n}th mill\n\nruns by the river {n}\nand the hill" for n in range(30)]


def module(tokenizer: Any, **changes: Any) -> MaskedText:
    data = MaskedText(tokenizer=tokenizer, **{"texts": POEMS, "batch_size": 4, **changes})
    data.prepare_data()
    data.setup("fit")
    return data


def unmasked(data: MaskedText, split: str) -> list[list[int]]:
    rows: Any = data.rows[split]
    return [rows.file.gather(np.asarray([row]))[0].tolist() for row in range(len(rows))]


@pytest.mark.parametrize("kind", ["roberta", "bert"])
def test_a_poem_is_a_document_between_the_models_special_tokens(kind: str, request: pytest.FixtureRequest):
    tokenizer: Tokenizer = request.getfixturevalue(kind)
    data = module(tokenizer, texts={"train": POEMS, "validation": POEMS[:2]})
    assert unmasked(data, "train") == [tokenizer.hf(poem)["input_ids"] for poem in POEMS]
    assert data.summary["examples/train"] == data.summary["documents/train"] == 30
    assert data.summary["characters/train"] == sum(map(len, POEMS))
    assert data.summary["tokens/train"] == sum(map(len, unmasked(data, "train")))


def test_a_line_is_an_example_and_blank_ones_are_none(roberta: Tokenizer):
    data = module(roberta, texts={"train": POEMS[:2], "validation": POEMS[2:3]}, example="line")
    lines = [line for poem in POEMS[:2] for line in poem.split("\n") if line]
    assert unmasked(data, "train") == [roberta.hf(line)["input_ids"] for line in lines]


def test_blocks_are_the_stream_of_documents_cut_to_the_length(roberta: Tokenizer):
    data = module(roberta, texts={"train": POEMS, "validation": POEMS[:2]}, example="block", max_length=16)
    rows = unmasked(data, "train")
    assert {row[0] for row in rows} == {roberta.bos_id}
    assert {row[-1] for row in rows} == {roberta.eos_id}
    assert {len(row) for row in rows[:-1]} == {16}
    stream = [token for row in rows for token in row[1:-1]]
    joined: list[int] = []
    for ids in roberta.encode(POEMS):
        joined += [*ids.tolist(), roberta.eos_id]
    assert stream == joined[:-1]
    assert data.summary["truncated/train"] == 0


def test_bert_s_blocks_are_joined_by_its_separator(bert: Tokenizer):
    data = module(bert, texts={"train": POEMS[:2], "validation": POEMS[:2]}, example="block", max_length=128)
    first, second = (ids.tolist() for ids in bert.encode(POEMS[:2]))
    classify, separate = bert.hf.cls_token_id, bert.hf.sep_token_id
    assert unmasked(data, "train") == [[classify, *first, separate, *second, separate]]


def test_what_is_too_long_is_cut_off_and_counted(roberta: Tokenizer):
    short, long = "a", "the mill runs by the river and the hill"
    data = module(roberta, texts={"train": [short, long, long, long], "validation": [short]}, max_length=8)
    rows = unmasked(data, "train")
    whole = roberta.encode([long])[0].tolist()
    assert rows[1] == [roberta.bos_id, *whole[:6], roberta.eos_id]
    assert data.summary["truncated/train"] == 0.75
    assert data.summary["truncated/validation"] == 0


def test_no_document_is_on_two_sides_and_none_is_lost(roberta: Tokenizer):
    data = module(roberta, validation_share=0.2, test_share=0.1, max_length=64)
    sides = [{tuple(row) for row in unmasked(data, split)} for split in ("train", "validation", "test")]
    assert [len(side) for side in sides] == [21, 6, 3]
    assert len(set.union(*sides)) == 30


def masks(data: MaskedText, loader: Any) -> dict[int, tuple[list[int], list[int]]]:
    """Input ids and labels of each example, without padding."""
    found = {}
    for batch in loader:
        for number, ids, labels, real in zip(
            batch["example_ids"], batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        ):
            length = int(real.sum())
            found[int(number)] = (ids[:length].tolist(), labels[:length].tolist())
    return found


def test_masks_change_by_epoch_but_not_by_batch_and_validation_masks_stay(roberta: Tokenizer):
    data, other = module(roberta), module(roberta, batch_size=7, shuffle=False)
    loader = data.train_dataloader()
    first, second = masks(data, loader), masks(data, loader)
    assert first != second
    assert masks(other, other.train_dataloader()) == first
    held_out = masks(data, data.val_dataloader())
    assert held_out == masks(data, data.val_dataloader()) == masks(other, other.val_dataloader())
    assert masks(data, module(roberta, seed=1).val_dataloader()) != held_out


def test_asking_for_every_token_changes_training_alone(roberta: Tokenizer):
    """Else the held-out numbers would mostly score copying."""
    everywhere, hidden = module(roberta, labels="all", test_share=0.1), module(roberta, test_share=0.1)
    for loader in ("val_dataloader", "test_dataloader"):
        assert masks(everywhere, getattr(everywhere, loader)()) == masks(hidden, getattr(hidden, loader)())
    for _, labels in masks(everywhere, everywhere.train_dataloader()).values():
        assert IGNORED not in labels[1:-1]


def test_batches_are_padded_to_their_longest_and_labels_restore_the_text(roberta: Tokenizer):
    data = module(roberta, mask_probability=0.5, texts={"train": ["a", "a mill"], "validation": POEMS})
    for batch in data.val_dataloader():
        assert set(batch) == {"input_ids", "attention_mask", "labels", "scored_places", "example_ids"}
        assert batch["scored_places"].tolist() == (batch["labels"].flatten() != IGNORED).nonzero()[:, 0].tolist()
        assert batch["attention_mask"].sum(1).max() == batch["input_ids"].shape[1]
        restored = np.where(batch["labels"] == IGNORED, batch["input_ids"], batch["labels"])
        for number, row, real in zip(batch["example_ids"], restored, batch["attention_mask"], strict=True):
            assert row[: int(real.sum())].tolist() == unmasked(data, "validation")[int(number)]
            assert (row[int(real.sum()) :] == roberta.pad_id).all()


def test_a_filler_asks_for_nothing(roberta: Tokenizer):
    rows = module(roberta, mask_probability=0.9).rows["validation"]
    batch = rows.__getitems__([(EVALUATION, 0), (EVALUATION, -1)])
    assert (batch["labels"][0] != IGNORED).any()
    assert (batch["labels"][1] == IGNORED).all()
    assert (batch["input_ids"][0] == batch["input_ids"][1]).all()


def test_whole_words_are_hidden_together_in_text(bert: Tokenizer):
    data = module(bert, whole_words=True, mask_probability=0.5, mask_rule="always")
    starts = bert.word_starts()
    original = unmasked(data, "train")
    for number, (_, labels) in masks(data, data.train_dataloader()).items():
        for place, token in enumerate(original[number]):
            if not starts[token]:
                assert (labels[place] == IGNORED) == (labels[place - 1] == IGNORED)


def test_a_tokenizer_without_a_mask_token_is_refused(gpt2: Tokenizer):
    with pytest.raises(UserError, match=r"tokenizer.*without a mask token"):
        module(gpt2)


def test_a_split_without_an_example_is_refused(roberta: Tokenizer):
    nothing = "\u200b"  # no white space, but BERT's normalizer leaves nothing of it
    from quatrain.tokenizers.trained import WordPiece

    recipe = WordPiece(vocab_size=100, min_frequency=1)
    with pytest.raises(UserError, match=r"data\.example=line finds no example in the validation split"):
        module(recipe, texts={"train": POEMS, "validation": [nothing]}, example="line")
