"""The text of all parts one after the other, without the lines that go: as bytes to publish, and as texts."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from quatrain.corpora.documents import whole_pieces
from quatrain.corpora.files import SPLITS
from quatrain.corpora.shard_lines import unescaped
from quatrain.corpora.shard_part import BEGIN, BEGINS, END, ENDS, LINE_END, SEPARATOR, Part
from quatrain.corpora.shard_survey import Survey

_CHUNK = 1 << 22


class Chunk(NamedTuple):
    """Some entries, as segments that stay or go as a whole."""

    data: np.ndarray  # [bytes] uint8
    documents: np.ndarray  # [entries] int64, the number of each entry's document
    flags: np.ndarray  # [entries] uint8
    sizes: np.ndarray  # [segments] int64, bytes
    stays: np.ndarray  # [segments] bool
    entries: np.ndarray  # [segments] int64, the entry of each

    def chosen(self, wanted: np.ndarray) -> bytes:
        """What stays of the entries that are ``wanted`` ([entries] bool)."""
        stays = self.stays & wanted[self.entries]
        if stays.all():
            return self.data.tobytes()
        return self.data[np.repeat(stays, self.sizes)].tobytes()

    def texts(self, wanted: np.ndarray) -> Iterator[tuple[int, str]]:
        """The text of each entry that is ``wanted``, with the number of its document."""
        data, start = self.chosen(wanted), 0
        stays = self.stays & wanted[self.entries]
        sizes = np.bincount(self.entries, weights=np.where(stays, self.sizes, 0), minlength=len(wanted))
        for entry in np.flatnonzero(wanted):
            stop = start + int(sizes[entry])
            body = data[start:stop]
            body = body[len(BEGIN) :] if self.flags[entry] & BEGINS else body
            body = body[: -len(END)] if self.flags[entry] & ENDS else body
            yield int(self.documents[entry]), unescaped(body)
            start = stop


def chunks(survey: Survey) -> Iterator[Chunk]:
    """All parts in order, some entries at a time."""
    first, kept_before = 0, 0
    for number, part in enumerate(survey.parts):
        documents = survey.documents(part, first)
        flags = part.column("entry", "flags")
        first += part.manifest["documents"]
        lines = _PartLines(part, survey.gone[number]) if part.by_lines else None
        sizes = part.column("entry", "bytes").astype(np.int64)
        for which, data in part.chunks(_CHUNK):
            here = flags[which]
            if lines is None:
                count = len(here)
                yield Chunk(data, documents[which], here, sizes[which], np.ones(count, bool), np.arange(count))
                continue
            segments, kept_before = lines.segments(which, here, kept_before)
            yield Chunk(data, documents[which], here, *segments)


def texts(survey: Survey, wanted: np.ndarray) -> Iterator[tuple[int, Iterator[str]]]:
    """Each document that is ``wanted`` ([documents] bool): its number, and its text in pieces of any size."""
    found = (pair for chunk in chunks(survey) for pair in chunk.texts(wanted[chunk.documents]))
    for document, pairs in groupby(found, key=lambda pair: pair[0]):
        yield document, (text for _, text in pairs)


def pieces(survey: Survey) -> Iterator[tuple[str, str, bool]]:
    """Whole documents in pieces, as the corpus itself reads them: (split, piece, whether it ends its document)."""
    for document, found in texts(survey, survey.alive):
        for piece, ends in whole_pieces(found):
            yield SPLITS[survey.splits[document]], piece, ends


class _PartLines:
    """The lines of a part as segments: a document's beginning, each line behind its separator, the end."""

    def __init__(self, part: Part, gone: np.ndarray) -> None:
        self._sizes = part.column("line", "bytes").astype(np.int64)
        self._stays = np.unpackbits(gone, count=len(self._sizes)) == 0
        self._bounds = np.concatenate([[0], np.cumsum(part.column("entry", "lines"), dtype=np.int64)])

    def segments(
        self, which: slice, flags: np.ndarray, kept_before: int
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], int]:
        """Sizes, which ones stay, and the entry of each; and the lines that stay so far of the last document.

        ``kept_before``: those of the document that the first entry goes on with.
        """
        bounds = self._bounds[which.start : which.stop + 1]
        counts = np.diff(bounds)
        stays = self._stays[bounds[0] : bounds[-1]]
        entry_of_line = np.repeat(np.arange(len(counts)), counts)
        before = np.cumsum(stays) - stays  # kept lines of the chunk before each line
        at_entry = np.concatenate([[0], np.cumsum(stays)])[bounds[:-1] - bounds[0]]
        begun = np.maximum.accumulate(np.where(flags & BEGINS, np.arange(len(counts)), -1))
        at_document = np.where(begun >= 0, at_entry[begun], -kept_before)
        follows = before > at_document[entry_of_line]
        start = np.concatenate([[0], np.cumsum(2 * counts + 3)])
        line = start[entry_of_line] + 1 + 2 * (np.arange(len(stays)) - (bounds[:-1] - bounds[0])[entry_of_line])
        sizes, kept = np.zeros(start[-1], np.int64), np.ones(start[-1], bool)
        sizes[start[:-1]] = np.where(flags & BEGINS, len(BEGIN), 0)
        sizes[line], kept[line] = len(SEPARATOR), stays & follows
        sizes[line + 1], kept[line + 1] = self._sizes[bounds[0] : bounds[-1]], stays
        sizes[start[1:] - 2] = np.where(flags & LINE_END, len(SEPARATOR), 0)
        sizes[start[1:] - 1] = np.where(flags & ENDS, len(END), 0)
        entries = np.repeat(np.arange(len(counts)), 2 * counts + 3)
        return (sizes, kept, entries), int(stays.sum() - at_document[-1])
