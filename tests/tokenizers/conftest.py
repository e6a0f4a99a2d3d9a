"""Throw-away tokenizers trained on four lines."""

from pathlib import Path

import pytest

from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

LINES = (
    "the tall ship sails and the small ship sails",
    "A sailor sings; the sea sings back.",
    "Sea and sky, sky and sea: the sailor's day.",
    "the day is tall, the day is small",
)


def lines() -> tuple[str, ...]:
    return LINES


@pytest.fixture(scope="session")
def bpe() -> Tokenizer:
    return ByteLevelBPE(vocab_size=320).fit(lines)


@pytest.fixture(scope="session")
def gpt2_like() -> Tokenizer:
    return ByteLevelBPE(vocab_size=320, special_tokens=("<|endoftext|>",)).fit(lines)


@pytest.fixture(scope="session")
def wordpiece() -> Tokenizer:
    return WordPiece(vocab_size=100).fit(lines)


@pytest.fixture(scope="session")
def gpt2_folder(gpt2_like: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only vocab.json and merges.txt, as GPT-2 was published."""
    folder = tmp_path_factory.mktemp("gpt2")
    gpt2_like.hf.backend_tokenizer.model.save(str(folder))
    return folder
