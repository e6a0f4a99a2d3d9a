"""Where the input of a corpus is cut into shards: contiguous parts of about equal weight, found by a look at each."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from quatrain.corpora.file_contents import WHOLE

_WINDOW = 1 << 20

LINES = re.compile(rb"\n")
"""What a cut follows where every line may be the last of a shard."""

BLANK_LINES = re.compile(rb"\n\r?\n")
"""What a cut follows where lines between two blank ones belong together."""


class Extent(Protocol):
    """What is read one after another: a file, or rows. Places count from 0 to ``end`` in units of its own."""

    @property
    def weight(self) -> int:
        """How much work it is, beside the others."""
        ...

    @property
    def end(self) -> int:
        """Its last place."""
        ...

    def place(self, weight: int) -> int:
        """Where a cut lies that leaves about ``weight`` before it, from 1 to below `weight`; it grows with it."""
        ...


class Uncut(NamedTuple):
    """What belongs to one shard as a whole."""

    weight: int
    end: int = WHOLE.stop

    def place(self, weight: int) -> int:
        """Before it or behind it, whichever is nearer."""
        return 0 if 2 * weight < self.weight else self.end


class Rows(NamedTuple):
    """Rows that can be read from any one on."""

    weight: int
    end: int

    def place(self, weight: int) -> int:
        """The row at the same share of all."""
        return self.end * weight // self.weight


class Bytes(NamedTuple):
    """A plain file that can be cut behind whatever ``behind`` matches, unless ``uncut``, which is asked at need."""

    path: Path
    behind: re.Pattern[bytes]
    end: int
    uncut: Callable[[], bool] = bool

    @property
    def weight(self) -> int:
        """Its bytes."""
        return self.end

    def place(self, weight: int) -> int:
        """The next cut at or behind that byte; the file's end where there is none."""
        if self.uncut():
            return Uncut(self.end, self.end).place(weight)
        overlap = 3  # a match has at most so many bytes
        start = max(weight - overlap, 0)
        with self.path.open("rb") as stream:
            stream.seek(start)
            held = b""
            while read := stream.read(_WINDOW):
                held += read
                place = 0
                while match := self.behind.search(held, place):
                    if start + match.end() >= weight:
                        return start + match.end()
                    place = match.start() + 1
                start += max(len(held) - overlap, 0)
                held = held[-overlap:]
        return self.end


class Slice(NamedTuple):
    """Of the extent with this number the places from ``start`` to ``stop``."""

    number: int
    start: int
    stop: int


def slices(extents: Sequence[Extent], shard: int, shards: int) -> Iterator[Slice]:
    """What the shard holds of each extent that it touches, in order; nothing where there is too little for all.

    The shards 0 to ``shards`` - 1 together hold everything, each place once.
    """
    total = sum(extent.weight for extent in extents)
    first, start = _cut(extents, total * shard // shards)
    last, stop = _cut(extents, total * (shard + 1) // shards)
    for number in range(first, last):
        yield Slice(number, start, extents[number].end)
        start = 0
    if start < stop:
        yield Slice(last, start, stop)


def _cut(extents: Sequence[Extent], weight: int) -> tuple[int, int]:
    """The extent and the place there at which ``weight`` of all has been read; never an extent's end."""
    for number, extent in enumerate(extents):
        if weight <= 0:
            return number, 0
        if weight < extent.weight:
            place = extent.place(weight)
            return (number, place) if place < extent.end else (number + 1, 0)
        weight -= extent.weight
    return len(extents), 0
