"""A cache of their own and throw-away tokenizers for the tests of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

LINES = [
    "the river runs below the hill",
    "a lantern burns above the mill",
    "the miller counts his sacks of grain",
    "and hears the river and the rain",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test has an empty cache."""
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def roberta() -> Tokenizer:
    """Byte-level BPE with RoBERTa's special ids 0 to 4."""
    return ByteLevelBPE(vocab_size=300, min_frequency=1).fit(lambda: LINES)


@pytest.fixture(scope="session")
def gpt2() -> Tokenizer:
    """Byte-level BPE with one special token, the end of text."""
    return ByteLevelBPE(vocab_size=300, min_frequency=1, special_tokens=("<|endoftext|>",)).fit(lambda: LINES)


@pytest.fixture(scope="session")
def bert() -> Tokenizer:
    """WordPiece with BERT's template for pairs."""
    return WordPiece(vocab_size=120, min_frequency=1).fit(lambda: LINES)
