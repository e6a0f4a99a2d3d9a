"""What a word that is no key can have been meant for: the nearest spelling, or a key that lies deeper."""

from collections.abc import Iterable
from difflib import get_close_matches


def deeper(place: str, name: str, keys: Iterable[str]) -> list[str]:
    """Return those of ``keys`` that lie below ``place`` (anywhere for "") and end in ``name``, sorted.

    ``model.n_layer`` leaves out the config between: of the model's keys ``model.config.n_layer`` ends so.
    """
    start = f"{place}." if place else ""
    return sorted(key for key in keys if key.startswith(start) and key.endswith(f".{name}"))


def nearest(word: str, words: Iterable[str], alike: float = 0.6) -> str:
    """Return ``; did you mean X?`` for the word most like ``word``, or nothing where none is ``alike`` (0 to 1)."""
    close = get_close_matches(word, list(words), n=1, cutoff=alike)
    return f"; did you mean {close[0]}?" if close else ""
