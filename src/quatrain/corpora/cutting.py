"""Cutting text where no tokenizer would see a difference.

A safe place lies right before a single space or newline between two characters that are not white space. GPT-2's
pre-tokenizer glues one space to the word behind it and BERT's splits at white space, so the pieces on both sides of
such a place are tokenized as they are in the whole text.
"""

import re
from collections.abc import Iterable, Iterator

PIECE = 1 << 20
"""Characters of a piece of a long document, about."""

_SAFE = re.compile(r"(?<=\S)[ \n](?=\S)")


def last_safe_place(text: str, start: int = 1) -> int | None:
    """The last safe place in ``text`` at or after ``start``, or None.

    Spaces come before newlines, since some pre-tokenizers (cl100k) glue a newline to the sign before it.
    """
    for white in " \n":
        place = len(text)
        while (place := text.rfind(white, max(start, 1), place)) >= 0:
            if place + 1 < len(text) and not text[place - 1].isspace() and not text[place + 1].isspace():
                return place
    return None


def first_safe_place(text: str, start: int) -> int | None:
    """The first safe place in ``text`` at or after ``start``, or None."""
    match = _SAFE.search(text, start)
    return match.start() if match else None


def pieces(blocks: Iterable[str], size: int = PIECE) -> Iterator[tuple[str, bool]]:
    """Cut one text, given in blocks of any size, into pieces of about ``size`` characters at safe places.

    Yields (piece, whether it is the last); the pieces joined are the text. A text without a safe place comes in one
    piece. Nothing comes of an empty text.
    """
    held, searched = "", 1
    for block in blocks:
        held += block
        while len(held) > size:
            # The part that was searched before is left out, or a text without spaces would cost quadratic time.
            place = last_safe_place(held[: size + 1], searched) if searched <= size else None
            place = place or first_safe_place(held, max(searched, size))
            if place is None:
                searched = len(held) - 1
                break
            yield held[:place], False
            held, searched = held[place:], 1
    if held:
        yield held, True
