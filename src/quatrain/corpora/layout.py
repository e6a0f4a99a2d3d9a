"""Which split each document of a corpus belongs to, and the sizes that follow: found by one pass over the documents."""

from array import array
from typing import NamedTuple

import numpy as np

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import CleaningReport
from quatrain.corpora.files import SPLITS
from quatrain.corpora.splits import Key, Shares, check_filled, deal_at_boundaries, deal_random


class Layout(NamedTuple):
    """Where each document goes; ``documents`` and ``characters`` have an entry for each of `SPLITS`."""

    dealt: np.ndarray  # [documents] uint8, number into SPLITS
    cuts: list[tuple[str, int]]  # (split, place in the stream where it begins), where the stream itself is cut
    documents: dict[str, int]
    characters: dict[str, int]
    report: CleaningReport


class Scan:
    """Keeps of each document its length and its key or own split (16 bytes), not its text.

    Args:
        shares: how documents are dealt.
        report: the account of the pass, handed on in the layout.
    """

    def __init__(self, shares: Shares, report: CleaningReport) -> None:
        self._shares = shares
        self._report = report
        self._lengths = array("q")
        self._keys = array("Q")
        self._own = bytearray()
        self._length = 0
        self._key = Key(shares.seed)

    @property
    def count(self) -> int:
        """Documents so far."""
        return len(self._lengths)

    @property
    def characters(self) -> int:
        """Characters of the documents so far."""
        return sum(self._lengths)

    def add(self, split: str | None, piece: str, ends: bool) -> None:
        """Take the next piece; ``split`` where the source says itself to which one it belongs."""
        keyed = split is None and self._shares.split == "random"
        self._length += len(piece)
        if keyed:
            self._key.update(piece)
        if not ends:
            return
        self._lengths.append(self._length)
        self._length = 0
        if split is not None:
            self._own.append(SPLITS.index(split))
        elif keyed:
            self._keys.append(self._key.value())
            self._key = Key(self._shares.seed)

    def dealt_layout(self) -> Layout:
        """The layout of whole documents, dealt at random or along the stream.

        Raises:
            UserError: a split with a share got no document.
        """
        if self._shares.split == "random":
            dealt = deal_random(np.frombuffer(self._keys, np.uint64), self._shares)
        else:
            dealt = deal_at_boundaries(self._sizes(), self._shares)
        return self._checked(self._whole(dealt))

    def own_layout(self, splits: tuple[str, ...]) -> Layout:
        """The layout of a source that brings its own ``splits``.

        Raises:
            UserError: one of them holds no document.
        """
        layout = self._whole(np.frombuffer(self._own, np.uint8))
        if empty := [split for split in splits if not layout.documents[split]]:
            raise UserError([f"data.source: its {split} split holds no text; fill or remove it." for split in empty])
        return layout

    def cut_layout(self, cuts: list[tuple[str, int]]) -> Layout:
        """The layout of a stream that is cut at given places, inside of documents where need be.

        Raises:
            UserError: a split with a share got nothing.
        """
        sizes = self._sizes()
        places = [place for _, place in cuts]
        bounds = np.unique([*np.cumsum(sizes), *places])
        documents, characters = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
        for (split, start), stop in zip([(SPLITS[0], 0), *cuts], [*places, int(sizes.sum())], strict=True):
            documents[split] = int(((bounds > start) & (bounds <= stop)).sum())
            characters[split] = stop - start
        return self._checked(Layout(np.zeros(len(sizes), np.uint8), cuts, documents, characters, self._report))

    def _sizes(self) -> np.ndarray:
        return np.frombuffer(self._lengths, np.int64)

    def _whole(self, dealt: np.ndarray) -> Layout:
        sizes = self._sizes()
        documents = {split: int((dealt == number).sum()) for number, split in enumerate(SPLITS)}
        characters = {split: int(sizes[dealt == number].sum()) for number, split in enumerate(SPLITS)}
        return Layout(dealt, [], documents, characters, self._report)

    def _checked(self, layout: Layout) -> Layout:
        held = {split for split in SPLITS if layout.documents[split]}
        check_filled(held, self.count, self._shares)
        return layout
