"""A causal LM goes on with what transformers hands it: no end of text may stand behind a prompt."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from quatrain.data.token_streams import separator
from quatrain.tokenizers.generative import generative
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tokenizer import Tokenizer

TEXT = "the sea <mask> [SEP] ships, sail</s>"


@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_nothing_stands_around_a_prompt_and_all_else_is_as_it_was(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Asked of the files, as transformers and as we load them."""
    tokenizer: Tokenizer = request.getfixturevalue(kind)
    generative(tokenizer).save(tmp_path)
    loaded: Any = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer.hf(TEXT, add_special_tokens=False)["input_ids"]
    assert tokenizer.hf(TEXT)["input_ids"] != ids
    assert loaded(TEXT)["input_ids"] == ids
    assert loaded.decode(ids) == tokenizer.hf.decode(ids)
    again = Pretrained(source=str(tmp_path)).fit()
    assert again.wrap() == ([], [])
    assert again.special_strings == tokenizer.special_strings
    assert again.encode([TEXT])[0].tolist() == tokenizer.encode([TEXT])[0].tolist()
    assert (again.vocab_size, again.pad_id, again.mask_id) == (
        tokenizer.vocab_size,
        tokenizer.pad_id,
        tokenizer.mask_id,
    )


@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_streams_stay_those_of_the_training(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The same separator and fingerprint: what was encoded for the training is not encoded again to evaluate."""
    tokenizer: Tokenizer = request.getfixturevalue(kind)
    generative(tokenizer).save(tmp_path)
    again = Pretrained(source=str(tmp_path)).fit()
    assert separator(again) == separator(tokenizer) == again.eos_id
    assert again.encoding_fingerprint == tokenizer.encoding_fingerprint
    assert again.fingerprint != tokenizer.fingerprint


def test_one_that_closes_no_text_stays(gpt2_like: Tokenizer) -> None:
    assert generative(gpt2_like) is gpt2_like


def test_other_ids_are_another_encoding(bpe: Tokenizer, gpt2_like: Tokenizer) -> None:
    assert bpe.encoding_fingerprint != gpt2_like.encoding_fingerprint
    allowing = Tokenizer(bpe.hf, allowed_special=["<mask>"])
    assert allowing.encoding_fingerprint != bpe.encoding_fingerprint


def test_older_transformers_know_the_class(bpe: Tokenizer, tmp_path: Path) -> None:
    generative(bpe).save(tmp_path)
    assert '"tokenizer_class": "PreTrainedTokenizerFast"' in (tmp_path / "tokenizer_config.json").read_text()
