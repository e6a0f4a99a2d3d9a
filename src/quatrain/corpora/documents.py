"""From raw text to cleaned documents: the whole text, its paragraphs, its lines, or its numbered poems.

A document is handed on in pieces, (piece, whether it is the last of its document), so that memory stays flat when a
whole file of any size is one document.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from quatrain.corpora import bounds
from quatrain.corpora.cleaning import Cleaning, CleaningReport, Origin
from quatrain.corpora.cutting import pieces
from quatrain.corpora.duplicates import SeenLines
from quatrain.corpora.gutenberg import without_frame
from quatrain.corpora.sonnets import poems

Documents = Literal["whole", "paragraphs", "lines", "sonnets"]
Block = tuple[str, Origin]


class DocumentReader:
    """Cleans raw texts and splits them into documents, for one pass over a corpus.

    It remembers the lines seen so far where duplicates are dropped, so a new pass takes a new reader.

    Args:
        documents: what a document is.
        cleaning: the rules.
        report: takes the account of what is changed and dropped.
    """

    def __init__(self, *, documents: Documents, cleaning: Cleaning, report: CleaningReport) -> None:
        self._documents = documents
        self._cleaning = cleaning
        self._report = report
        self._seen = SeenLines() if cleaning.duplicate_lines else None
        self.reached = Origin("", 1)
        """Where the text that was read last ends."""

    def read(self, blocks: Iterable[str], origin: Origin) -> Iterator[tuple[str, bool]]:
        """Yield the pieces of the documents of one raw text that begins at ``origin``; no document is blank."""
        found = False
        clean = self.clean(blocks, origin)
        for piece in self._whole(clean) if self._documents == "whole" else self._parts(clean):
            found = True
            yield piece
        if not found:
            self._report.drop("empty_documents", origin, "")

    def clean(self, blocks: Iterable[str], origin: Origin) -> Iterator[Block]:
        """The text with its characters mended, and without a frame."""
        mended = self._mended(blocks, origin)
        return without_frame(mended, self._report) if self._cleaning.gutenberg_frame else mended

    def _mended(self, blocks: Iterable[str], origin: Origin) -> Iterator[Block]:
        for block in blocks:
            text = self._cleaning.characters(block, self._report, origin)
            yield text, origin
            origin = origin.after(text)
        self.reached = origin

    def _parts(self, blocks: Iterator[Block]) -> Iterator[tuple[str, bool]]:
        for document, place in self.split(blocks):
            kept = document
            if self._seen is not None:
                kept = "\n".join(self._kept(document.split("\n"), place))
            if kept:
                yield kept, True

    def _whole(self, blocks: Iterator[Block]) -> Iterator[tuple[str, bool]]:
        if self._cleaning.blank_lines or self._seen is not None:
            texts = self._kept_lines(blocks)
        else:
            texts = (text for text, _ in blocks)
        return whole_pieces(texts)

    def _kept_lines(self, blocks: Iterator[Block]) -> Iterator[str]:
        last = ""

        def watched() -> Iterator[Block]:
            nonlocal last
            for block in blocks:
                last = block[0] or last
                yield block

        between = ""
        for line, origin in lines(watched()):
            if self._keeps(line, origin):
                yield between + line
                between = "\n"
        # The end of the last line is no blank line.
        if between and last.endswith("\n"):
            yield between

    def split(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The documents of a clean text that is not one document as a whole, before lines are dropped from them."""
        source = lines(blocks)
        if self._documents == "sonnets":
            return poems(source, self._report)
        if self._documents == "paragraphs":
            return _paragraphs(source)
        return ((line, place) for line, place in source if line and not line.isspace())

    def _kept(self, document: list[str], place: Origin) -> list[str]:
        return [line for number, line in enumerate(document) if self._keeps(line, place.at(number))]

    def drops_blank(self, line: str, origin: Origin) -> bool:
        """Whether a line is dropped because it is blank; then it is reported."""
        if not self._cleaning.blank_lines or (line and not line.isspace()):
            return False
        self._report.drop("blank_lines", origin, line)
        return True

    def _keeps(self, line: str, origin: Origin) -> bool:
        if self.drops_blank(line, origin):
            return False
        blank = not line or line.isspace()
        if not blank and self._seen is not None and not self._seen.add(line):
            self._report.drop("duplicate_lines", origin, line)
            return False
        return True


def whole_pieces(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The pieces of a document that comes in ``texts``: none where it is blank, and none that is blank comes first."""
    begun, blank = False, ""
    for piece, ends in pieces(texts):
        if not begun and piece.isspace():
            blank += piece
            continue
        yield blank + piece, ends
        begun, blank = True, ""


def lines(blocks: Iterable[Block]) -> Iterator[Block]:
    """The lines of one text, without their ends, and where they stand. Nothing comes after a last ``\\n``."""
    held, start = "", None
    for text, origin in blocks:
        start = start or origin
        found = (held + text).split("\n")
        held = found.pop()
        if len(held) > bounds.LONGEST_LINE:
            raise bounds.too_long(start[0], start[1] + len(found), "data.source")
        file, first, plain = start
        for number, line in enumerate(found):
            yield line, Origin(file, first + number if plain else first, plain)
        start = start.at(len(found))
    if held and start:
        yield held, start


def _paragraphs(source: Iterable[Block]) -> Iterator[Block]:
    paragraph: list[str] = []
    start: Origin | None = None
    for line, origin in source:
        if line and not line.isspace():
            start = start or origin
            paragraph.append(line)
        elif start:
            yield "\n".join(paragraph), start
            paragraph, start = [], None
    if start:
        yield "\n".join(paragraph), start
