"""Which lines of the parts go, because they stood before or are blank."""

import json

import numpy as np

from quatrain.corpora.cleaning import Cleaning, CleaningReport, Origin
from quatrain.corpora.shard_part import BEGIN, BEGINS, PLAIN, SEPARATOR, TEXT, Part

_RULE = "duplicate_lines"


class Repeats:
    """The lines of all parts so far, as sorted hashes: 8 bytes for each that is different, and as much for a moment."""

    def __init__(self) -> None:
        self._seen = np.zeros(0, np.uint64)

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """[lines] bool: which of a part's lines stood before, in it or in an earlier part; 0 is no line."""
        order = np.argsort(hashes, kind="stable")
        ranked = hashes[order]
        known = np.zeros(len(hashes), bool)
        known[1:] = ranked[1:] == ranked[:-1]
        if len(self._seen):
            known |= self._seen[np.minimum(np.searchsorted(self._seen, ranked), len(self._seen) - 1)] == ranked
        new = ranked[~known & (ranked != 0)]
        # Two sorted runs are merged in linear time.
        self._seen = np.sort(np.concatenate([self._seen, new]), kind="stable")
        repeated = np.empty(len(hashes), bool)
        repeated[order] = known & (ranked != 0)
        return repeated


class Lines:
    """The lines of one part: which go (``gone``), and which of those because they stood before (``repeated``)."""

    def __init__(self, part: Part, cleaning: Cleaning, repeats: Repeats) -> None:
        hashes = part.column("line", "hash")
        self.blank = hashes == 0
        self.repeated = repeats.find(hashes) if cleaning.duplicate_lines else np.zeros(len(hashes), bool)
        self.gone = self.repeated | self.blank if cleaning.blank_lines else self.repeated
        self._bounds = np.concatenate([[0], np.cumsum(part.column("entry", "lines"), dtype=np.int64)])

    def per_entry(self, values: np.ndarray) -> np.ndarray:
        """[entries] int64: the sum of each entry's lines."""
        sums = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
        summed: np.ndarray = sums[self._bounds[1:]] - sums[self._bounds[:-1]]
        return summed

    def tell(self, part: Part, report: CleaningReport, files: dict[int, str], shifts: dict[int, int]) -> None:
        """Report the repeated lines; ``shifts`` has the lines before the part's first in the files that it cuts."""
        places = np.flatnonzero(self.repeated)
        if not len(places):
            return
        report.add(_RULE, len(places))
        for place in places[: max(report.room(_RULE), 0)]:
            entry = int(np.searchsorted(self._bounds, place, side="right")) - 1
            inside = int(place - self._bounds[entry])
            file = int(part.column("raw", "file")[part.column("entry", "raw")[entry]])
            plain = bool(part.column("entry", "flags")[entry] & PLAIN)
            first = int(part.column("entry", "line")[entry]) + shifts.get(file, 0)
            origin = Origin(files[file], first, plain).at(inside)
            report.show(_RULE, origin, _line(part, entry, int(self._bounds[entry]), int(place)), None)


def _line(part: Part, entry: int, first: int, place: int) -> str:
    """A line of a part: the text of line ``place``, where ``first`` is the first of its entry."""
    sizes = part.column("line", "bytes")
    start = int(part.column("entry", "bytes")[:entry].sum(dtype=np.int64))
    if part.column("entry", "flags")[entry] & BEGINS:
        start += len(BEGIN)
    start += int(sizes[first:place].sum(dtype=np.int64)) + len(SEPARATOR) * (place - first + 1)
    with (part.folder / TEXT).open("rb") as file:
        file.seek(start)
        return unescaped(file.read(int(sizes[place])))


def unescaped(data: bytes) -> str:
    """What stands between the quotes of JSON, as the text that it spells."""
    text: str = json.loads(b'"' + data + b'"')
    return text
