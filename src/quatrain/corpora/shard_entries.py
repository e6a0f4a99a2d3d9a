"""From cleaned texts to the entries of a part."""

from collections.abc import Iterable, Iterator

from quatrain.corpora.cleaning import Origin
from quatrain.corpora.documents import Block, DocumentReader, lines
from quatrain.corpora.duplicates import line_hash
from quatrain.corpora.files import SPLITS
from quatrain.corpora.shard_part import (
    BEGIN,
    BEGINS,
    END,
    ENDS,
    HOLDS_TEXT,
    LINE_END,
    PLAIN,
    SEPARATOR,
    PartWriter,
    escaped,
)
from quatrain.corpora.sources import RawText
from quatrain.corpora.splits import Key
from quatrain.corpora.text import Making

_PIECE = 1 << 20
_TRAIN = SPLITS.index("train")


class EntryWriter:
    """Writes documents as entries, each with its key for dealing where it lies in this part as a whole.

    ``documents`` counts those that begin here; ``files`` are the names by number of the files of texts by lines.
    """

    def __init__(self, making: Making, writer: PartWriter, *, by_lines: bool) -> None:
        self.documents = 0
        self.files: dict[int, str] = {}
        self._whole = making.documents == "whole"
        self._cleaning = making.cleaning
        self._writer = writer
        self._by_lines = by_lines
        shares = making.shares.beside(making.source.splits or ())
        self._seed = shares.seed if shares.split == "random" and shares.held_out else None
        self._key: Key | None = None

    def raw(self, raw: RawText, file: int, reader: DocumentReader) -> None:
        """Write a raw text that lies in this part as a whole."""
        if self._by_lines:
            self._lines_of(raw, file, reader, begins=True, ends=True)
            return
        split, begins = _number(raw), True
        for text, ends in reader.read(raw.blocks, raw.origin):
            self._entry(text, split, begins, ends)
            begins = ends

    def fragment(self, raw: RawText, file: int, reader: DocumentReader, *, begins: bool, ends: bool) -> bool:
        """Write a part of a file that is one text; return whether it holds any."""
        if self._by_lines:
            self._lines_of(raw, file, reader, begins=begins, ends=ends)
            return True  # judged when lines have been dropped
        clean = reader.clean(raw.blocks, raw.origin)
        texts: Iterator[str] = (text for text, _ in (clean if self._whole else reader.split(clean)))
        split, found = _number(raw), False
        for text, last in _with_last(texts):
            found = found or not (text.isspace() or not text)
            self._entry(text, split, begins or not self._whole, (ends and last) or not self._whole)
            begins = False
        return found

    def _entry(self, text: str, split: int, begins: bool, ends: bool) -> None:
        self._start_key(begins, split)
        if self._key:
            self._key.update(text)
        data = (BEGIN if begins else b"") + escaped(text) + (END if ends else b"")
        flags = BEGINS * begins | ENDS * ends | HOLDS_TEXT * bool(text and not text.isspace())
        self._writer.text(data)
        self._writer.row(
            "entry", bytes=len(data), characters=len(text), key=self._end_key(ends), flags=flags, split=split
        )

    def _lines_of(self, raw: RawText, file: int, reader: DocumentReader, *, begins: bool, ends: bool) -> None:
        self.files[file] = raw.origin.file
        self._writer.row("raw", file=file, line=raw.origin.line)
        clean = reader.clean(raw.blocks, raw.origin)
        if self._whole:
            last = _Last(clean, begins)
            self._document(lines(last), _number(raw), reader, begins=begins, ends=ends, last=last)
            return
        for text, place in reader.split(clean):
            found = ((line, place.at(number)) for number, line in enumerate(text.split("\n")))
            self._document(found, _number(raw), reader, begins=True, ends=True)

    def _document(
        self,
        source: Iterable[Block],
        split: int,
        reader: DocumentReader,
        *,
        begins: bool,
        ends: bool,
        last: "_Last | None" = None,
    ) -> None:
        """Write the lines of one document, in entries of about a megabyte."""
        self._start_key(begins, split)
        entry = _Lines(begins, split)
        kept = False
        for line, origin in source:
            if entry.characters > _PIECE:
                self._close(entry, ends=False, line_end=False)
                entry = _Lines(False, split)
            dropped = reader.drops_blank(line, origin)
            if self._key and not dropped:
                self._key.update(f"\n{line}" if kept else line)
            kept = kept or not dropped
            self._line(entry, line, origin)
        line_end = ends and last is not None and last.text.endswith("\n")
        if self._key and kept and line_end:
            self._key.update("\n")
        self._close(entry, ends=ends, line_end=line_end)

    def _line(self, entry: "_Lines", line: str, origin: Origin) -> None:
        if not entry.count:
            entry.line, entry.plain = origin.line, origin.plain
        data = escaped(line)
        entry.data += SEPARATOR + data
        entry.count += 1
        entry.characters += len(line)
        blank = not line or line.isspace()
        value = 0 if blank else line_hash(line) if self._cleaning.duplicate_lines else 1
        self._writer.row("line", hash=value, bytes=len(data), characters=len(line))

    def _close(self, entry: "_Lines", *, ends: bool, line_end: bool) -> None:
        if ends:
            entry.data += (SEPARATOR if line_end else b"") + END
        self._writer.text(entry.data)
        self._writer.row(
            "entry",
            bytes=len(entry.data),
            characters=entry.characters,
            key=self._end_key(ends),
            flags=BEGINS * entry.begins | ENDS * ends | LINE_END * line_end | PLAIN * entry.plain,
            split=entry.split,
            lines=entry.count,
            line=entry.line,
            raw=self._writer.counts["raw"] - 1,
        )

    def _start_key(self, begins: bool, split: int) -> None:
        """A document that began in another part has no key here."""
        if begins:
            self.documents += 1
            self._key = Key(self._seed) if self._seed is not None and split == _TRAIN else None

    def _end_key(self, ends: bool) -> int:
        if not (ends and self._key):
            return 0
        value, self._key = self._key.value(), None
        return value


class _Lines:
    """An entry while its lines are gathered."""

    def __init__(self, begins: bool, split: int) -> None:
        self.begins, self.split = begins, split
        self.data = bytearray(BEGIN if begins else b"")
        self.count = self.characters = self.line = 0
        self.plain = True


class _Last:
    """Hands blocks on and keeps the last text that is not empty; another part's ended with its line."""

    def __init__(self, blocks: Iterable[Block], begins: bool) -> None:
        self._blocks = blocks
        self.text = "" if begins else "\n"

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            self.text = block[0] or self.text
            yield block


def _number(raw: RawText) -> int:
    return SPLITS.index(raw.split) if raw.split else _TRAIN


def _with_last(texts: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Each text, and whether it is the last."""
    held: str | None = None
    for text in texts:
        if held is not None:
            yield held, False
        held = text
    if held is not None:
        yield held, True
