"""The work of one shard of a text corpus: its slice of the input, cleaned, as the documents that will be published."""

from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning, CleaningReport, plain_report
from quatrain.corpora.documents import DocumentReader
from quatrain.corpora.file_contents import count_lines
from quatrain.corpora.shard_cuts import Bytes, Extent, Slice, slices
from quatrain.corpora.shard_entries import EntryWriter
from quatrain.corpora.shard_part import PartWriter
from quatrain.corpora.shard_sources import extents_of, read_slice
from quatrain.corpora.sources import is_plain
from quatrain.corpora.text import Making


def is_by_lines(making: Making) -> bool:
    """Whether lines may be dropped from documents, so that a part keeps them apart."""
    return making.cleaning.duplicate_lines or (making.cleaning.blank_lines and making.documents == "whole")


def write_text_part(making: Making, shard: int, shards: int, folder: Path) -> dict[str, Any]:
    """Write what the shard makes of its slice of the input into ``folder``; return what the joining must know of it.

    Raises:
        UserError: the input has a fault, as a pass over the whole would tell it.
    """
    extents = extents_of(making)
    by_lines = is_by_lines(making)
    with PartWriter(folder, by_lines=by_lines) as writer:
        work = _Work(making, EntryWriter(making, writer, by_lines=by_lines))
        for piece in slices(extents, shard, shards):
            work.take(piece, extents[piece.number])
    return {
        "by_lines": by_lines,
        "documents": work.entries.documents,
        "files": {str(number): name for number, name in work.entries.files.items()},
        "torn": work.torn,
        "head": plain_report(work.head),
        "rest": plain_report(work.rest),
    }


class _Work:
    """Takes one slice after another.

    ``torn``: an account of each slice that is part of a file, which can only be the first and the last: its lines,
    whether it begins and ends the file, and whether it holds text. ``head``: what was changed in the first one where
    its lines are counted from its own start; ``rest``: what was changed besides.
    """

    def __init__(self, making: Making, entries: EntryWriter) -> None:
        self.entries = entries
        self.torn: list[dict[str, Any]] = []
        self.head, self.rest = CleaningReport(), CleaningReport()
        self._making = making
        self._reader = DocumentReader(documents=making.documents, cleaning=making.cleaning, report=self.rest)

    def take(self, piece: Slice, extent: Extent) -> None:
        """Write what a slice holds."""
        if not isinstance(extent, Bytes) or (piece.start == 0 and piece.stop == extent.end):
            for raw in read_slice(self._making.source, piece):
                self.entries.raw(raw, piece.number, self._reader)
            return
        try:
            self._take_torn(piece, extent)
        except UserError:
            if piece.start:
                # The sentence counts lines from the slice's start; read again, it counts them from the file's.
                self._read_through(piece, count_lines(extent.path, 0, piece.start), is_plain(extent.path))
            raise

    def _take_torn(self, piece: Slice, extent: Bytes) -> None:
        begins, ends = piece.start == 0, piece.stop == extent.end
        one_text = is_plain(extent.path)
        reader = self._torn_reader(self.rest if begins else self.head, one_text)
        found, lines = True, 0
        for raw in read_slice(self._making.source, piece):
            if one_text:
                found = self.entries.fragment(raw, piece.number, reader, begins=begins, ends=ends)
                lines = reader.reached.line - 1
            else:
                self.entries.raw(raw, piece.number, reader)
        if not one_text and not ends:
            lines = count_lines(extent.path, piece.start, piece.stop)
        file = str(extent.path)
        self.torn.append(
            {
                "number": piece.number,
                "file": file,
                "one_text": one_text,
                "begins": begins,
                "ends": ends,
                "lines": lines,
                "found": found,
            }
        )

    def _read_through(self, piece: Slice, before: int, one_text: bool) -> None:
        reader = self._torn_reader(CleaningReport(), one_text)
        for raw in read_slice(self._making.source, piece, before):
            for _ in reader.read(raw.blocks, raw.origin):
                pass

    def _torn_reader(self, report: CleaningReport, one_text: bool) -> DocumentReader:
        cleaning = self._making.cleaning
        if one_text:  # which stands in no frame, or it would not be cut
            cleaning = Cleaning(**{**cleaning.switches(), "gutenberg_frame": False})
        return DocumentReader(documents=self._making.documents, cleaning=cleaning, report=report)
