"""Truncation and segments of pairs, against the tokenizers library."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.data.pair_encoding import PairEncoder
from quatrain.tokenizers.tokenizer import Tokenizer

WORDS = st.lists(st.sampled_from(["a", "mill", "river", "the", "hill"]), min_size=1, max_size=12).map(" ".join)


def reference(tokenizer: Tokenizer, first: str, second: str | None, max_length: int) -> tuple[list[int], list[int]]:
    encoded = tokenizer.hf(first, second, truncation="longest_first", max_length=max_length, return_token_type_ids=True)
    tokenizer.hf.backend_tokenizer.no_truncation()
    return encoded["input_ids"], encoded["token_type_ids"]


@pytest.fixture(scope="session")
def encoders(bert: Tokenizer, roberta: Tokenizer) -> Callable[[str, bool, int], PairEncoder]:
    named = {"bert": bert, "roberta": roberta}
    return lambda name, pairs, length: PairEncoder(named[name], pairs=pairs, max_length=length, token_types=True)


@settings(max_examples=50, deadline=None)
@given(first=WORDS, second=WORDS, max_length=st.integers(4, 30), name=st.sampled_from(["bert", "roberta"]))
def test_pairs_are_cut_as_the_library_does(encoders, first: str, second: str, max_length: int, name: str):
    encoder = encoders(name, True, max_length)
    rows = encoder({"text_a": [first], "text_b": [second]})
    ids, types = reference(encoder.tokenizer, first, second, max_length)
    assert rows["input_ids"][0].tolist() == ids
    assert rows["token_type_ids"][0].tolist() == types
    assert rows["truncated"] == [len(encoder.tokenizer.hf(first, second)["input_ids"]) > max_length]


@settings(max_examples=20, deadline=None)
@given(first=WORDS, max_length=st.integers(3, 12))
def test_single_texts_are_cut_as_the_library_does(encoders, first: str, max_length: int):
    encoder = encoders("bert", False, max_length)
    rows = encoder({"text_a": [first]})
    ids, types = reference(encoder.tokenizer, first, None, max_length)
    assert (rows["input_ids"][0].tolist(), rows["token_type_ids"][0].tolist()) == (ids, types)


def test_a_batch_is_its_rows_one_by_one(bert: Tokenizer):
    encoder = PairEncoder(bert, pairs=True, max_length=10, token_types=True)
    texts = {"text_a": ["a mill", "the river runs below the hill", "a"], "text_b": ["a hill", "the", "rain " * 20]}
    together = encoder(texts)
    for row in range(3):
        alone = encoder({name: [column[row]] for name, column in texts.items()})
        assert alone["input_ids"][0].tolist() == together["input_ids"][row].tolist()
        assert alone["token_type_ids"][0].tolist() == together["token_type_ids"][row].tolist()


def test_special_strings_in_a_sentence_are_ordinary_text(bert: Tokenizer):
    rows = PairEncoder(bert, pairs=True, max_length=64, token_types=False)({"text_a": ["a [SEP] b"], "text_b": ["c"]})
    assert rows["input_ids"][0].tolist().count(bert.hf.sep_token_id) == 2
