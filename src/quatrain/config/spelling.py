"""The nearest spelling of a word."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, words: Iterable[str], alike: float = 0.6) -> str:
    """Return ``; did you mean X?`` for the word most like ``word``, or nothing where none is ``alike`` (0 to 1)."""
    close = get_close_matches(word, list(words), n=1, cutoff=alike)
    return f"; did you mean {close[0]}?" if close else ""
