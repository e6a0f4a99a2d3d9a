"""Texts to ids as a stream: cut into pieces, encoded by all cores at once, put together in order."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from quatrain.tokenizers.cutting import cut
from quatrain.tokenizers.engines import Engine, Engines
from quatrain.tokenizers.threads import in_order

Piece = tuple[str, bool]
"""A part of a text, and whether it is its last."""

LITTLE = 1 << 21
"""Characters up to which the plain engine is done before a faster one were made."""

_AHEAD = 8
"""Calls of the engine, for each thread, that are under way or done before their ids are taken."""


def encoded(texts: Iterable[str], engines: Engines, *, cuttable: bool) -> Iterator[np.ndarray]:
    """Yield the ids of each text, int32, in order; texts are taken as they are needed.

    Long texts are cut where no token can cross if the tokenizer is ``cuttable``, and lone surrogates become U+FFFD.
    """
    engine, calls = _divided(_pieces(texts, cuttable), engines)
    parts: list[np.ndarray] = []
    for call, arrays in _made(engine, calls):
        for (_, ends), array in zip(call, arrays, strict=True):
            parts.append(array)
            if ends:
                yield parts[0] if len(parts) == 1 else np.concatenate(parts)
                parts = []


def _divided(pieces: Iterator[Piece], engines: Engines) -> tuple[Engine, Iterator[list[Piece]]]:
    """An engine that suits how much text there is, and what it is given call by call."""
    head: list[Piece] = []
    size = 0
    for piece in pieces:
        head.append(piece)
        size += len(piece[0])
        if size > LITTLE:
            return engines.fast, _grouped(itertools.chain(head, pieces), engines.fast.characters)
    return engines.plain, _grouped(head, engines.plain.characters)


def _made(engine: Engine, calls: Iterator[list[Piece]]) -> Iterable[tuple[list[Piece], list[np.ndarray]]]:
    """Each call with the arrays that the engine makes of its pieces; a single one without threads."""

    def work(call: list[Piece]) -> list[np.ndarray]:
        return engine([piece for piece, _ in call])

    first = list(itertools.islice(calls, 2))
    if len(first) < 2:
        return [(call, work(call)) for call in first]
    return in_order(work, itertools.chain(first, calls), threads=engine.threads, ahead=_AHEAD * engine.threads)


def _pieces(texts: Iterable[str], cuttable: bool) -> Iterator[Piece]:
    for whole in texts:
        text = without_surrogates(whole)
        held: str | None = None
        for piece in cut(text) if cuttable else (text,):
            if held is not None:
                yield held, False
            held = piece
        yield held or "", True


def _grouped(pieces: Iterable[Piece], characters: int) -> Iterator[list[Piece]]:
    """Pieces in lists of at least ``characters`` together, but the last."""
    group: list[Piece] = []
    size = 0
    for piece in pieces:
        group.append(piece)
        size += len(piece[0])
        if size >= characters:
            yield group
            group, size = [], 0
    if group:
        yield group


def without_surrogates(text: str) -> str:
    """Return ``text`` with each half of a surrogate pair, which no encoding can write, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
