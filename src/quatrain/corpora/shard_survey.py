"""The first look at all parts of a text corpus: which lines and documents stay, how long they are, what was changed."""

from collections.abc import Sequence

import numpy as np

from quatrain.corpora.cleaning import CleaningReport, Origin
from quatrain.corpora.files import SPLITS
from quatrain.corpora.shard_lines import Lines, Repeats
from quatrain.corpora.shard_part import BEGINS, ENDS, HOLDS_TEXT, LINE_END, Part
from quatrain.corpora.text import Making

_TRAIN = SPLITS.index("train")


class Survey:
    """What is known of every document that begins in some part, by its number.

    ``lengths``: its characters without what was dropped. ``alive``: whether it holds text. ``splits``: which one the
    source tells. ``keys``: for dealing; where ``stale``, none is known. ``gone``: for each part the lines that go, as
    packed bits, where the text is by lines.
    """

    def __init__(self, parts: Sequence[Part], making: Making) -> None:
        count = sum(part.manifest["documents"] for part in parts)
        self.parts = parts
        self.report = CleaningReport()
        self.gone: list[np.ndarray] = []
        self.lengths = np.zeros(count, np.int64)
        self.keys = np.zeros(count, np.uint64)
        self.splits = np.zeros(count, np.uint8)
        self.stale = np.ones(count, bool)
        self._texts = np.zeros(count, np.int64)
        self._kept = np.zeros(count, np.int64)
        self._making = making
        self._repeats = Repeats()
        self._first = 0
        self._torn = _Torn()
        for part in parts:
            self._take(part)
        self.alive = self._texts > 0
        if parts[0].by_lines:
            self.lengths += np.maximum(self._kept - 1, 0)
            self._tell_empty()

    def documents(self, part: Part, first: int) -> np.ndarray:
        """[entries] int64: the number of each entry's document, where ``first`` began in earlier parts."""
        return first - 1 + np.cumsum((part.column("entry", "flags") & BEGINS) > 0, dtype=np.int64)

    def _take(self, part: Part) -> None:
        flags = part.column("entry", "flags")
        documents = self.documents(part, self._first)
        shifts = self._torn.take(part, self.report)
        if part.by_lines:
            lines = Lines(part, self._making.cleaning, self._repeats)
            lines.tell(part, self.report, _names(part), shifts)
            self.gone.append(np.packbits(lines.gone))
            self._add(self._kept, documents, lines.per_entry(~lines.gone))
            self._add(self._texts, documents, lines.per_entry(~lines.gone & ~lines.blank))
            sizes = np.where(lines.gone, 0, part.column("line", "characters"))
            self._add(self.lengths, documents, lines.per_entry(sizes) + ((flags & LINE_END) > 0))
            touched = documents[lines.per_entry(lines.repeated) > 0]
        else:
            self._add(self._texts, documents, (flags & HOLDS_TEXT) > 0)
            self._add(self.lengths, documents, part.column("entry", "characters"))
            touched = documents[:0]
        begun, ended = (flags & BEGINS) > 0, (flags & ENDS) > 0
        self.splits[documents[begun]] = part.column("entry", "split")[begun]
        self.keys[documents[ended]] = part.column("entry", "key")[ended]
        self.stale[documents[ended & (documents >= self._first)]] = False
        self.stale[touched] = True
        self._first += part.manifest["documents"]

    def _add(self, to: np.ndarray, documents: np.ndarray, values: np.ndarray) -> None:
        """Add the values of entries to those of their documents."""
        if len(documents):
            low, high = int(documents[0]), int(documents[-1]) + 1
            to[low:high] += np.bincount(documents - low, weights=values).astype(np.int64)

    def _tell_empty(self) -> None:
        """Report the raw texts of which nothing is left, where that is known only now."""
        first, torn = 0, _Torn()
        for part in self.parts:
            alive = self.alive[self.documents(part, first)]
            first += part.manifest["documents"]
            files, starts = part.column("raw", "file"), part.column("raw", "line")
            held = np.bincount(part.column("entry", "raw"), weights=alive, minlength=len(files)) > 0
            names, shifts = _names(part), torn.of_lines(part, held, self.report)
            for raw in np.flatnonzero(~held):
                if shifts.get(file := int(files[raw]), 0) is not None:
                    origin = Origin(names[file], int(starts[raw]) + (shifts.get(file) or 0))
                    self.report.drop("empty_documents", origin, "")


class _Torn:
    """Follows the file that goes on from one part to the next: its lines so far, and whether any text was found."""

    def __init__(self) -> None:
        self._lines = 0
        self._found = False

    def take(self, part: Part, report: CleaningReport) -> dict[int, int]:
        """Add what a part reports, each line where it stands in its file; return the lines before the part, by file."""
        manifest, shifts = part.manifest, {}
        told = False
        for torn in manifest["torn"]:
            if torn["begins"]:
                report.add_plain(manifest["rest"])
                told = True
                self._lines, self._found = 0, False
            else:
                shifts[int(torn["number"])] = self._lines
                report.add_plain(manifest["head"], self._lines)
            self._lines += torn["lines"]
            self._found |= torn["found"]
            if torn["ends"] and torn["one_text"] and not self._found:
                report.drop("empty_documents", Origin(torn["file"], 1), "")
        if not told:
            report.add_plain(manifest["rest"])
        return shifts

    def of_lines(self, part: Part, held: np.ndarray, report: CleaningReport) -> dict[int, int | None]:
        """The same for texts by lines, [raw texts] ``held``; None where a file's end has told of it."""
        shifts: dict[int, int | None] = {}
        for torn in part.manifest["torn"]:
            if torn["begins"]:
                self._lines, self._found = 0, False
            if torn["one_text"]:
                self._found |= bool(held[-1 if torn["begins"] else 0])
                shifts[int(torn["number"])] = None
                if torn["ends"] and not self._found:
                    report.drop("empty_documents", Origin(torn["file"], 1), "")
            else:
                shifts[int(torn["number"])] = self._lines
            self._lines += torn["lines"]
        return shifts


def _names(part: Part) -> dict[int, str]:
    return {int(number): name for number, name in part.manifest["files"].items()}
