"""Which split each document of a corpus belongs to, and the sizes that follow: found by one pass over the documents."""

from array import array
from typing import NamedTuple

import numpy as np

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import CleaningReport
from quatrain.corpora.files import SPLITS
from quatrain.corpora.splits import Key, Shares, check_filled, deal_at_boundaries, deal_random

_TRAIN = SPLITS.index("train")


class Layout(NamedTuple):
    """Where each document goes; ``documents`` and ``characters`` have an entry for each of `SPLITS`."""

    dealt: np.ndarray  # [documents] uint8, number into SPLITS
    cuts: list[tuple[str, int]]  # (split, place in the stream where it begins), where the stream itself is cut
    documents: dict[str, int]
    characters: dict[str, int]
    report: CleaningReport


class Scan:
    """Keeps of each document its length, its split and its key (17 bytes), not its text.

    What the source calls ``train``, or gives no split, is dealt to the splits that the source does not bring itself.

    Args:
        shares: how documents are dealt.
        report: the account of the pass, handed on in the layout.
        own: the splits that the source brings, in whose order its documents come.
    """

    def __init__(self, shares: Shares, report: CleaningReport, own: tuple[str, ...] = ()) -> None:
        self.shares = shares.beside(own)
        """Those of the splits that are dealt; 0 for one that the source brings."""
        self._report = report
        self._own = own
        self._lengths = array("q")
        self._keys = array("Q")
        self._splits = bytearray()
        self._length = 0
        self._key = Key(shares.seed)

    @property
    def count(self) -> int:
        """Documents to deal, so far."""
        return self._splits.count(_TRAIN)

    @property
    def characters(self) -> int:
        """Characters of the documents to deal, so far."""
        return int(self._sizes()[self._told() == _TRAIN].sum())

    def add(self, split: str | None, piece: str, ends: bool) -> None:
        """Take the next piece; ``split`` where the source says itself to which one it belongs."""
        number = SPLITS.index(split) if split else _TRAIN
        keyed = number == _TRAIN and self.shares.split == "random"
        self._length += len(piece)
        if keyed:
            self._key.update(piece)
        if not ends:
            return
        self._lengths.append(self._length)
        self._splits.append(number)
        self._length = 0
        if keyed:
            self._keys.append(self._key.value())
            self._key = Key(self.shares.seed)

    def take(self, lengths: np.ndarray, keys: np.ndarray, splits: np.ndarray) -> None:
        """Take whole documents, each array [documents]: lengths int64, keys uint64, splits uint8 into `SPLITS`."""
        self._lengths.frombytes(lengths.astype(np.int64).tobytes())
        self._splits += splits.astype(np.uint8).tobytes()
        if self.shares.split == "random":
            self._keys.frombytes(keys[splits == _TRAIN].astype(np.uint64).tobytes())

    def dealt_layout(self) -> Layout:
        """The layout of whole documents, dealt at random or along the stream.

        Raises:
            UserError: a split with a share got no document, or one of the source's own holds none.
        """
        self._check_own()
        dealt = self._told()
        train = dealt == _TRAIN
        if self.shares.split == "random" and self.shares.held_out:
            dealt[train] = deal_random(np.frombuffer(self._keys, np.uint64), self.shares)
        elif self.shares.held_out:
            dealt[train] = deal_at_boundaries(self._sizes()[train], self.shares)
        sizes = self._sizes()
        documents = {split: int((dealt == number).sum()) for number, split in enumerate(SPLITS)}
        characters = {split: int(sizes[dealt == number].sum()) for number, split in enumerate(SPLITS)}
        return self._checked(Layout(dealt, [], documents, characters, self._report))

    def cut_layout(self, cuts: list[tuple[str, int]]) -> Layout:
        """The layout of a stream whose train is cut at given places, inside of documents where need be.

        Raises:
            UserError: a split with a share got nothing, or one of the source's own holds no document.
        """
        self._check_own()
        sizes, told = self._sizes(), self._told()
        behind = [split for split in self._own if split != SPLITS[_TRAIN]]
        cuts = [*cuts, *((split, int(sizes[told < SPLITS.index(split)].sum())) for split in behind)]
        places = [place for _, place in cuts]
        bounds = np.unique([*np.cumsum(sizes), *places])
        documents, characters = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
        for (split, start), stop in zip([(SPLITS[0], 0), *cuts], [*places, int(sizes.sum())], strict=True):
            documents[split] = int(((bounds > start) & (bounds <= stop)).sum())
            characters[split] = stop - start
        return self._checked(Layout(np.zeros(len(sizes), np.uint8), cuts, documents, characters, self._report))

    def _sizes(self) -> np.ndarray:
        return np.frombuffer(self._lengths, np.int64)

    def _told(self) -> np.ndarray:
        """[documents] uint8: the split that the source tells, train where it tells none."""
        return np.array(self._splits, np.uint8)

    def _check_own(self) -> None:
        held = {SPLITS[number] for number in set(self._splits)}
        if empty := [split for split in self._own if split not in held]:
            raise UserError([f"data.source: its {split} split holds no text; fill or remove it." for split in empty])

    def _checked(self, layout: Layout) -> Layout:
        held = {split for split in SPLITS if layout.documents[split]}
        check_filled(held, self.count, self.shares, self._own)
        return layout
