"""The frame around a Project Gutenberg text: header, credits and licence."""

import re
from collections.abc import Iterable, Iterator

from quatrain.corpora.cleaning import CleaningReport, Origin

_START = re.compile(
    r"^[ \t]*(\*{3} ?START OF (THE|THIS) PROJECT GUTENBERG|\*END\*? ?THE SMALL PRINT).*$", re.IGNORECASE | re.MULTILINE
)
_END = re.compile(
    r"^[ \t]*(\*{3} ?END OF (THE|THIS) PROJECT GUTENBERG|End of (the |this )?Project Gutenberg).*$", re.IGNORECASE
)
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
        kept, origin = [], None
        for number, line in enumerate(block[0].splitlines(keepends=True) if "\r" in block[0] else _lines(block[0])):
            place = block[1].at(number)
            if self._belongs(line):
                origin = origin or place
                kept += [*self._blank, line]
                self._blank = []
            elif not (self._state == "text" and line.isspace()):
                self._report.drop("gutenberg_frame", place, line.rstrip("\r\n"))
        if kept and origin:
            yield "".join(kept), origin

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


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
