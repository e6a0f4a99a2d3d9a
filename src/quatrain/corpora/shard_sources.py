"""How each source of raw text is cut into shards, and how a slice of it is read.

A plain file is cut behind lines or blank lines, JSON lines behind lines, Parquet, verse, the hub and memory between
rows. Compressed files, csv and tsv (whose fields may hold line ends), poems under headings and a file in a Project
Gutenberg frame belong to one shard each.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from quatrain.corpora.cleaning import CleaningReport, Origin
from quatrain.corpora.file_contents import Stretch, text_blocks
from quatrain.corpora.files import suffix_of
from quatrain.corpora.gutenberg import is_framed
from quatrain.corpora.hub_text import HubSource
from quatrain.corpora.parquet import open_parquet
from quatrain.corpora.shard_cuts import BLANK_LINES, LINES, Bytes, Extent, Rows, Slice, Uncut
from quatrain.corpora.sources import FileSource, RawText, Source, VerseSource, is_plain
from quatrain.corpora.text import Making


def extents_of(making: Making) -> list[Extent]:
    """What there is to read, in the order of the source."""
    source = making.source
    if isinstance(source, FileSource):
        return [_extent(path, making) for _, path in source.files]
    if isinstance(source, HubSource):
        return [Rows(source.count(split), source.count(split)) for split in source.splits]
    if isinstance(source, VerseSource):
        return [Rows(source.size, source.size)]
    count = sum(1 for _ in source.texts())
    return [Rows(count, count)]


def read_slice(source: Source, piece: Slice, before: int = 0) -> Iterator[RawText]:
    """The texts of a slice; ``before`` counts the lines that its file has before it."""
    stretch = Stretch(piece.start, piece.stop, before)
    if isinstance(source, FileSource):
        return source.texts_of(piece.number, stretch)
    if isinstance(source, HubSource):
        return source.texts_of(source.splits[piece.number], stretch)
    if isinstance(source, VerseSource):
        return source.texts_of(stretch)
    return islice(source.texts(), piece.start, piece.stop)


def why_uncut(making: Making, shards: int) -> list[str]:
    """A sentence for each file that belongs to one shard as a whole though it is larger than a shard should be."""
    if not isinstance(making.source, FileSource):
        return []
    sizes = [path.stat().st_size for _, path in making.source.files]
    large = [path for (_, path), size in zip(making.source.files, sizes, strict=True) if size * shards > sum(sizes)]
    frame = "because it stands in a Project Gutenberg frame"
    return [
        f"{path} is not cut, {reason}; all of it is the work of one shard."
        for path in large
        if (reason := _uncut(path, making) or (frame if _framed(path, making) else None))
    ]


def _extent(path: Path, making: Making) -> Extent:
    size = path.stat().st_size
    if _uncut(path, making):
        return Uncut(size)
    if suffix_of(path.name) == ".parquet":
        with open_parquet(path) as file:
            return Rows(size, file.count)
    behind = BLANK_LINES if is_plain(path) and making.documents == "paragraphs" else LINES
    return Bytes(path, behind, size, lambda: _framed(path, making))


def _uncut(path: Path, making: Making) -> str | None:
    """Why a file is not cut; None where it is."""
    suffix = suffix_of(path.name) or ""
    if suffix.endswith(".gz"):
        return "because it is compressed"
    if suffix in (".csv", ".tsv"):
        return "because its fields may hold line ends"
    if is_plain(path) and making.documents == "sonnets":
        return "because its poems follow from the first heading on"
    return None


def _framed(path: Path, making: Making) -> bool:
    if not (is_plain(path) and making.cleaning.gutenberg_frame):
        return False
    first = next(text_blocks(path), "")
    return is_framed(making.cleaning.characters(first, CleaningReport(), Origin(str(path), 1)))
