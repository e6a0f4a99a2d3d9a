"""Dealing documents to train, validation and test: deterministic, with exact shares, and nothing on two sides.

``random``: each distinct document has a number from its own text and the seed (a keyed hash); those with the smallest
numbers are validation, the next ones test. So the shares are exact, equal documents always go together, a document
added to the corpus moves hardly any other, and a pass needs 16 bytes a document.

``contiguous``: the head of the stream is train, then comes validation, then test, by share of characters.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from typing import Literal, NamedTuple

import numpy as np

from quatrain.core.errors import UserError
from quatrain.corpora.cutting import first_safe_place
from quatrain.corpora.files import SPLITS

Split = Literal["random", "contiguous"]

BOUNDARY_DOCUMENTS = 10
"""From so many documents on, a contiguous split of whole texts cuts between documents and not inside of one."""


class Shares(NamedTuple):
    """How a corpus is dealt."""

    validation: float = 0.1
    test: float = 0.0
    split: Split = "random"
    seed: int = 0

    def of(self, split: str) -> float:
        """The share of one split."""
        return {"train": 1.0 - self.validation - self.test, "validation": self.validation, "test": self.test}[split]

    def beside(self, own: tuple[str, ...]) -> "Shares":
        """The shares of the splits that a source with its ``own`` ones lacks, taken out of its train split."""
        validation, test = (0.0 if split in own else self.of(split) for split in SPLITS[1:])
        return self._replace(validation=validation, test=test)

    @property
    def held_out(self) -> bool:
        """Whether anything is dealt to validation or test."""
        return self.validation > 0 or self.test > 0

    def wrong(self) -> list[str]:
        """What is wrong with the numbers, one sentence each."""
        sentences = [
            f"data.{name}_share={share} is no share; take a number from 0 up to, but not, 1."
            for name, share in (("validation", self.validation), ("test", self.test))
            if not 0 <= share < 1
        ]
        if not sentences and self.validation + self.test >= 1:
            sentences.append(
                f"data.validation_share={self.validation} and data.test_share={self.test} leave nothing to train on; "
                "their sum must lie below 1."
            )
        if self.split not in ("random", "contiguous"):
            sentences.append(f"data.split={self.split} is unknown; allowed are random and contiguous.")
        return sentences


class Key:
    """Hashes one document, handed over in pieces, to its number for dealing."""

    def __init__(self, seed: int) -> None:
        self._hash = _keyed(seed).copy()

    def update(self, piece: str) -> None:
        """Take the next piece of the document."""
        self._hash.update(piece.encode("utf-8"))

    def value(self) -> int:
        """The document's number, evenly spread over [0, 2**64)."""
        return int.from_bytes(self._hash.digest())


@cache
def _keyed(seed: int) -> blake2b:
    return blake2b(digest_size=8, key=str(seed).encode())


def deal_random(keys: np.ndarray, shares: Shares) -> np.ndarray:
    """The split of each document, [documents] uint8 numbers into `SPLITS`, from its key ([documents] uint64).

    Of the distinct keys, round(share * count) go to validation and to test.
    """
    distinct = np.unique(keys)
    validation, both = _counts(len(distinct), shares)
    dealt = np.zeros(len(keys), np.uint8)
    if both:
        dealt[keys <= distinct[both - 1]] = SPLITS.index("test")
    if validation:
        dealt[keys <= distinct[validation - 1]] = SPLITS.index("validation")
    return dealt


def _counts(documents: int, shares: Shares) -> tuple[int, int]:
    validation = int(documents * shares.validation + 0.5)
    return validation, validation + int(documents * shares.test + 0.5)


def deal_at_boundaries(lengths: np.ndarray, shares: Shares) -> np.ndarray:
    """The split of each document, [documents] uint8, cut at the boundaries nearest to the shares of characters."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    dealt = np.zeros(len(lengths), np.uint8)
    for split, target in targets(int(ends[-1]), shares):
        dealt[int(np.abs(ends - target).argmin()) :] = SPLITS.index(split)
    return dealt


def targets(characters: int, shares: Shares) -> list[tuple[str, int]]:
    """Where validation and test begin in a stream of ``characters``, those with a share only."""
    starts = {"validation": 1.0 - shares.validation - shares.test, "test": 1.0 - shares.test}
    return [(split, round(characters * start)) for split, start in starts.items() if shares.of(split) > 0]


def find_cuts(pieces: Iterable[tuple[str, bool]], wanted: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Move each wanted (split, place in the stream) to the next safe place or end of a document.

    A safe place is one where no tokenizer sees a difference (see `cutting`).
    """
    found: list[tuple[str, int]] = []
    start = 0
    for piece, ends in pieces:
        while len(found) < len(wanted):
            split, target = wanted[len(found)]
            earliest = max(target, found[-1][1] + 1 if found else 0) - start
            place = first_safe_place(piece, max(earliest, 1)) if earliest < len(piece) else None
            if place is None and ends and earliest <= len(piece):
                place = len(piece)
            if place is None:
                break
            found.append((split, start + place))
        start += len(piece)
        if len(found) == len(wanted):
            break
    return found


def divide(pieces: Iterable[tuple[str, bool]], cuts: list[tuple[str, int]]) -> Iterator[tuple[str, str, bool]]:
    """Yield (split, piece, whether it ends its document), the stream cut where `find_cuts` said."""
    split, start, waiting = SPLITS[0], 0, list(cuts)
    for whole, ends in pieces:
        piece = whole
        while waiting and waiting[0][1] < start + len(piece):
            next_split, place = waiting.pop(0)
            if place > start:
                yield split, piece[: place - start], True
            split, piece, start = next_split, piece[place - start :], max(place, start)
        yield split, piece, ends
        start += len(piece)


def check_filled(held: set[str], documents: int, shares: Shares, own: tuple[str, ...] = ()) -> None:
    """Make sure that every split with a share got a document, of those that the source does not bring as its ``own``.

    Raises:
        UserError: one did not.
    """
    if not documents:
        raise UserError("data.source holds no text once it is cleaned; name a source that holds some.")
    empty = [split for split in SPLITS if shares.of(split) > 0 and split not in held]
    if not empty:
        return
    what = "1 document" if documents == 1 else f"{documents} documents"
    if shares.split == "contiguous":
        what, fix = f"a text of {what}", "name a longer text, raise the share, or set it to 0."
    else:
        fix = "raise the share, set it to 0, or take smaller data.documents (paragraphs or lines)."
    if own:
        what = f"the train split's {what.removeprefix('a ')}"
    raise UserError(
        [
            f"data.{split}_share={shares.of(split):g} of {what} leaves none for {split}; "
            + (f"add {split} text to the source, or {fix}" if own else fix)
            if split != "train"
            else f"data.validation_share and data.test_share leave none of {what} for train; lower them."
            for split in empty
        ]
    )
