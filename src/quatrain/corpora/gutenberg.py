"""The frame around a Project Gutenberg text: header, credits and licence."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain

from quatrain.corpora.cleaning import EXAMPLES, CleaningReport, Origin

_START = re.compile(
    r"^[ \t]*(\*{3} ?START OF (THE|THIS) PROJECT GUTENBERG|\*END\*? ?THE SMALL PRINT).*$", re.IGNORECASE | re.MULTILINE
)
_END = re.compile(
    r"^[ \t]*(\*{3} ?END OF (THE|THIS) PROJECT GUTENBERG|End of (the |this )?Project Gutenberg).*$", re.IGNORECASE
)
_END_ANYWHERE = re.compile(_END.pattern, re.IGNORECASE | re.MULTILINE)
_IN_MARKERS = ("project gutenberg", "mall pr")
"""What stands in each marker, one or the other; of letters that have one lower-case form in all of Unicode."""
_CREDITS = re.compile(
    r"^[ \t]*(\[?(Produced|Transcribed) (from|by)|(This )?e-?text (was )?(prepared|produced) by)", re.I
)


def without_frame(blocks: Iterable[tuple[str, Origin]], report: CleaningReport) -> Iterator[tuple[str, Origin]]:
    """Drop what stands around the text of a Project Gutenberg file; any other text comes through byte-exact.

    The frame is known by its start marker in the first block (which holds the whole of a short file). Dropped are all
    lines up to it, the credits and blank lines behind it, and from the end marker on; so in files of several books.
    """
    stream = iter(blocks)
    first = next(stream, None)
    if first is None:
        return
    if not is_framed(first[0]):
        yield first
        yield from stream
        return
    frame = _Frame(report)
    yield from frame.inner(first)
    for block in stream:
        yield from frame.inner(block)


def is_framed(block: str) -> bool:
    """Whether a text whose first block this is stands in a frame."""
    return _START.search(block) is not None


class _Frame:
    """Reads line after line and knows whether it is in a header, in credits, or in the text."""

    def __init__(self, report: CleaningReport) -> None:
        self._report = report
        self._state = "outside"
        self._blank: list[str] = []

    def inner(self, block: tuple[str, Origin]) -> Iterator[tuple[str, Origin]]:
        """What of a block of whole lines belongs to the text, as one block."""
        text, origin = block
        kept: list[str] = []
        first: Origin | None = None
        number = 0
        for run, alike in self._runs(text):
            found = self._alike(run, origin.at(number)) if alike else self._line(run, origin.at(number))
            if found:
                piece, before = found
                kept += [*self._blank, piece]
                self._blank = _lines(run[len(piece) :])
                first = first or origin.at(number + run.count("\n", 0, before))
            number += _count(run) if alike else 1
        if kept and first:
            yield "".join(kept), first

    def _runs(self, text: str) -> Iterator[tuple[str, bool]]:
        """Lines one by one, and as many as are alike, up to the next marker; (lines, whether they are alike)."""
        if "\r" in text:
            yield from ((line, False) for line in text.splitlines(keepends=True))
            return
        starts, ends = _markers(text)
        both, place = sorted({*starts, *ends}), 0
        while place < len(text):
            marks = both if self._state == "text" else starts
            after = bisect_left(marks, place)
            stop = marks[after] if after < len(marks) else len(text)
            alike = self._state in ("text", "outside") and stop > place
            if not alike:
                stop = text.find("\n", place) + 1 or len(text)
            yield text[place:stop], alike
            place = stop

    def _alike(self, run: str, place: Origin) -> tuple[str, int] | None:
        """Of lines without a marker what is text, up to the last that is not blank, and where the first such begins."""
        if self._state == "outside":
            self._report.add("gutenberg_frame", _count(run))
            for number, line in enumerate(run.split("\n", EXAMPLES)[: min(_count(run), EXAMPLES)]):
                self._report.show("gutenberg_frame", place.at(number), line, None)
            return None
        end = len(run.rstrip())
        if not end:
            self._blank += _lines(run)
            return None
        lead = run.rfind("\n", 0, len(run) - len(run.lstrip())) + 1
        return run[: run.find("\n", end) + 1 or len(run)], lead

    def _line(self, line: str, place: Origin) -> tuple[str, int] | None:
        if self._belongs(line):
            return line, 0
        if not (self._state == "text" and line.isspace()):
            self._report.drop("gutenberg_frame", place, line.rstrip("\r\n"))
        return None

    def _belongs(self, line: str) -> bool:
        if _START.match(line):
            self._state = "start"
        elif self._state == "outside":
            pass
        elif _END.match(line):
            self._report.add("gutenberg_frame", len(self._blank))
            self._state, self._blank = "outside", []
        elif line.isspace():
            self._state = "start" if self._state == "credits" else self._state
            # Blank lines wait: they belong to the text only where more of it follows.
            self._blank += [line] if self._state == "text" else []
        elif self._state == "credits" or (self._state == "start" and _CREDITS.match(line)):
            self._state = "credits"
        else:
            self._state = "text"
            return True
        return False


def _markers(text: str) -> tuple[list[int], list[int]]:
    """Where the lines begin that mark a start, and those that mark an end."""
    folded = text.lower()
    if len(folded) > len(text):  # a letter became two, and places moved
        return _found(_START, text), _found(_END_ANYWHERE, text)
    words = chain.from_iterable(_places(folded, word) for word in _IN_MARKERS)
    lines = sorted({folded.rfind("\n", 0, place) + 1 for place in words})
    return [line for line in lines if _START.match(text, line)], [
        line for line in lines if _END_ANYWHERE.match(text, line)
    ]


def _found(pattern: re.Pattern[str], text: str) -> list[int]:
    return [match.start() for match in pattern.finditer(text)]


def _places(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _count(lines: str) -> int:
    return lines.count("\n") + (not lines.endswith("\n"))


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
