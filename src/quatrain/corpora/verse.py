"""The embedded verse: text and sentence pairs from a small grammar of our own, seeded, of any size, made as it is read.

It needs no network and no file, and its grammar states the exact log-probability of every poem that it made, so that
the bits per character of a language model have a bound to be held against.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from quatrain.corpora.verse_grammar import draw, entropy, log_probabilities
from quatrain.corpora.verse_pairs import pairs
from quatrain.corpora.verse_text import joined, parse, read, write

__all__ = ["entropy", "grammar_fingerprint", "log_probabilities_of", "log_probability", "pairs", "poems"]

BLOCK = 512
"""Poems made at once: large enough for numpy to pay, about 200 KB of text."""


def poems(count: int, seed: int, first: int = 0) -> Iterator[str]:
    """Poems ``first`` to ``count``, of eight lines joined by newlines, made in blocks as they are read.

    Poem k depends on (seed, k) alone, so a longer stream begins with the shorter one of the same seed.
    """
    blocks = range(first // BLOCK, -(-count // BLOCK))
    texts = (text for block in blocks for text in write(draw(BLOCK, np.random.default_rng((seed % 2**64, block)))))
    return islice(texts, first % BLOCK, max(count - first + first % BLOCK, 0))


def log_probability(text: str) -> float:
    """The exact natural log-probability that `poems` draws just this text; -inf where the grammar cannot make it."""
    choices = read(text)
    return -np.inf if choices is None else float(log_probabilities(choices)[0])


def log_probabilities_of(texts: Iterable[str]) -> Iterator[float]:
    """What `log_probability` says of each text, many at a time, in a tenth of the time."""
    stream = iter(texts)
    while block := list(islice(stream, BLOCK)):
        parsed = [parse(text) for text in block]
        known = [choices for choices in parsed if choices is not None]
        made = iter(zip(write(joined(known)), log_probabilities(joined(known)).tolist(), strict=True) if known else ())
        for text, choices in zip(block, parsed, strict=True):
            written, log = (None, 0.0) if choices is None else next(made)
            yield log if written == text else -np.inf


def grammar_fingerprint() -> str:
    """The sha256 (hex) over the source of the verse: what was prepared from it is stale when the grammar changes."""
    content = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("verse*.py")):
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()
