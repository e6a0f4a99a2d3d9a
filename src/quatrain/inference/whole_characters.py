"""Token ids to text as they come: only what no later token can change is told."""

from collections.abc import Sequence
from typing import Any

HALF = "\ufffd"
"""What a decoder writes for bytes that are no character, or not yet."""

_CONTEXT, _FULL = 16, 64
"""Tokens that decoding looks back on, and how many may gather before the others are let go."""


class WholeCharacters:
    """Text of ids that are added one by one.

    All pieces that `add` and, at the end, `rest` return make up what ``hf.decode`` appends to the text of ``context``
    (the ids before, whole characters too) for the added ids, special tokens left out; each piece ends with a whole
    character. So a token that is a part of one waits for the others. A decoder that joins words after the fact
    (WordPiece's writes ``don ' t`` as ``don't``) makes each token wait for the next one.
    """

    def __init__(self, hf: Any, context: Sequence[int] = ()) -> None:
        self._hf = hf
        self._joins = type(hf.backend_tokenizer.decoder).__name__ == "WordPiece"
        self._ids, self._text = self._tail(list(context))
        self._told = self._text

    def add(self, token: int) -> str:
        """The text that ``token`` makes certain, often its own; empty where it must wait."""
        before = self._text
        self._ids.append(token)
        self._text = self._decode(self._ids)
        certain = self._text[: common_start(before, self._text)] if self._joins else self._text
        certain = certain.rstrip(HALF)
        if not certain.startswith(self._told):  # such as bytes that are a character only until half of one follows
            return ""
        piece = certain[len(self._told) :]
        self._told = certain
        self._let_go()
        return piece

    def rest(self) -> str:
        """What still waits, as it is."""
        piece, self._told = self._text[len(self._told) :], self._text
        return piece

    def _let_go(self) -> None:
        """Forget the oldest ids, if the text of the others goes on as before."""
        if len(self._ids) < _FULL:
            return
        (ids, text), waiting = self._tail(self._ids), self._text[len(self._told) :]
        if text.endswith(waiting):
            self._ids, self._text, self._told = ids, text, text.removesuffix(waiting)

    def _tail(self, ids: list[int]) -> tuple[list[int], str]:
        """The last ids and their text, which begins with a whole character where one of four cuts does."""
        tails = [(ids[-size:], self._decode(ids[-size:])) for size in range(_CONTEXT, _CONTEXT + 4)]
        return next((tail for tail in tails if not tail[1].startswith(HALF)), tails[0])

    def _decode(self, ids: list[int]) -> str:
        return str(self._hf.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def common_start(first: str, second: str) -> int:
    """How many characters two texts have in common at their start."""
    alike = min(len(first), len(second))
    return next((place for place in range(alike) if first[place] != second[place]), alike)
