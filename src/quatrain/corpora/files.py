"""Text files: which ones a path names, and their contents as checked, decoded blocks of text."""

import codecs
import glob
import gzip
import math
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from quatrain.core.brought_files import keep_inside
from quatrain.core.errors import UserError
from quatrain.corpora import bounds

_PLAIN_SUFFIXES = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
SUFFIXES = (*_PLAIN_SUFFIXES, *(f"{suffix}.gz" for suffix in _PLAIN_SUFFIXES))
"""Endings of the files that are read; those with ``.gz`` are decompressed on the way."""

SPLITS = ("train", "validation", "test")

MOST_ENTRIES = 100_000
"""How many files and folders are looked at for one source."""


class Stretch(NamedTuple):
    """A part of a file: its bytes from ``start`` to ``stop``, both right after a line's end, or the file's ends.

    ``before``: the lines of the file that come before it, so that numbers of lines are the file's.
    """

    start: int = 0
    stop: int = sys.maxsize
    before: int = 0


WHOLE = Stretch()

_T = TypeVar("_T")
_BLOCK = 1 << 20
_HEAD = 1 << 16
_SPLIT_NAME = re.compile(r"(train|validation|valid|val|dev|test)([-_.]\d[^.]*)?\.", re.IGNORECASE)
_NAMED_FILES = 5
_SHORT_NAMES = {"valid": "validation", "val": "validation", "dev": "validation"}


def suffix_of(name: str) -> str | None:
    """The ending out of `SUFFIXES` that ``name`` has, or None."""
    lowered = name.lower()
    return next((suffix for suffix in reversed(SUFFIXES) if lowered.endswith(suffix)), None)


def split_of(name: str) -> str | None:
    """The split that a file's name tells: ``train.txt``, ``dev.jsonl``, ``test-00000-of-00002.parquet``; else None."""
    match = _SPLIT_NAME.match(name)
    return _SHORT_NAMES.get(found := match[1].lower(), found) if match else None


def list_files(source: str, key: str = "data.source") -> list[tuple[str | None, Path]]:
    """The files that a file's, folder's or glob's name stands for, with their splits, in the order of reading.

    A folder is walked with what lies below, hidden files and unknown endings left out. Where it holds a file named
    after a split it brings its own splits and only such files are taken; else every split is None. The files of a glob
    have splits where all are named after one and train is among them. Empty where there is nothing. What a folder or
    a glob brings lies in it, not behind a link.

    Raises:
        UserError: files named after splits hold none for train, a glob matches them beside others, or a file is a link
            to another place.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return [(None, path)]
    if path.is_dir():
        named = [(split_of(file.name), keep_inside(file, path, key)) for file in sorted(_visible(path, key))]
        own = [(split, file) for split, file in named if split]
        if own and all(split != "train" for split, _ in own):
            there = ", ".join(file.name for _, file in own[:_NAMED_FILES])
            raise UserError(
                f"{key}={source} holds files for validation or test ({there}) but none for train; add train"
                f"{suffix_of(own[0][1].name)}, or rename them where they are all there is to train on."
            )
        return _in_order(own) if own else list(named)
    files = glob_files(source, key)
    splits = glob_splits(source, [(split_of(file.name), file) for file in files], key)
    return _in_order(list(zip(splits, files, strict=True))) if splits else [(None, file) for file in files]


def _in_order(files: list[tuple[str, Path]]) -> list[tuple[str | None, Path]]:
    return [(split, file) for split, file in sorted(files, key=lambda pair: SPLITS.index(pair[0]))]


def glob_files(source: str, key: str = "data.source") -> list[Path]:
    """The files that a pattern matches, sorted; none where ``source`` is no pattern.

    Raises:
        UserError: a match is a link that leads out of the folder that the pattern begins with.
    """
    if not glob.has_magic(source):
        return []
    # Path.glob refuses patterns that shells and this one take.
    pattern = Path(source).expanduser()
    found = glob.iglob(str(pattern), recursive=True)  # noqa: PTH207
    matches = (Path(name) for name in _not_too_many(found, source, key))
    folder = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    return sorted(keep_inside(file, folder, key) for file in matches if file.is_file())


def glob_splits(source: str, files: list[tuple[str | None, Path]], key: str = "data.source") -> list[str] | None:
    """The split of each file of a glob; None where no name tells one, or all tell the same, for the user asked for it.

    Raises:
        UserError: some are named after splits and others are not, or none is for train.
    """
    named = [split for split, _ in files if split]
    if not named or (len(set(named)) == 1 and len(named) == len(files)):
        return None
    if len(named) == len(files) and any(split.startswith("train") for split in named):
        return named
    of_split = ", ".join([file.name for split, file in files if split][:_NAMED_FILES])
    others = ", ".join([file.name for split, file in files if not split][:_NAMED_FILES])
    if not others:
        raise UserError(f"{key}={source} matches files of {of_split} but none for train; widen the pattern.")
    raise UserError(
        f"{key}={source} matches files of a split ({of_split}) beside others ({others}); narrow the pattern."
    )


def _visible(folder: Path, key: str) -> Iterator[Path]:
    for file in _not_too_many(folder.rglob("*"), folder, key):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and suffix_of(file.name) and file.is_file():
            yield file


def _not_too_many(found: Iterable[_T], source: str | Path, key: str) -> Iterator[_T]:
    """Hand on what was found, unless a whole disk is walked."""
    for number, entry in enumerate(found):
        if number == MOST_ENTRIES:
            raise UserError(
                f"{key}={source} leads to more than {MOST_ENTRIES:,} files and folders; name the folder of the corpus."
            )
        yield entry


def check_file(path: Path, key: str) -> str | None:
    """What is wrong with a file, judged by its name and first 64 KiB, as one sentence; None where nothing is."""
    suffix = suffix_of(path.name)
    if suffix is None:
        return f"{key}={path} has an ending that is not read; allowed are {', '.join(SUFFIXES)}: convert or rename it."
    try:
        with open_bytes(path) as stream:
            head = stream.read(_HEAD)
    except (OSError, EOFError, zlib.error) as error:
        return unreadable(path, error, key)
    if not head:
        return f"{key}={path} is empty; name a file that holds text."
    if suffix.startswith(".parquet"):
        return None if head.startswith(b"PAR1") else f"{key}={path} is no parquet file; write it again or rename it."
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"{key}={path} is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)."
    if b"\0" in head:
        return f"{key}={path} is a binary file (a NUL at byte {head.index(0)}); name a file that holds UTF-8 text."
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError as error:
        return not_utf8(path, error, 0, 1, key)
    return None


def missing(source: str, key: str, also: tuple[str, ...] = ()) -> str:
    """The sentence for a source that names nothing, with the nearest spelling among its siblings and ``also``."""
    if glob.has_magic(source):
        return f"{key}={source} matches no file; check the pattern (and quote it, so that the shell leaves it alone)."
    path = Path(source).expanduser()
    try:
        siblings = [str(file) for file in path.parent.iterdir()]
    except OSError:
        siblings = []
    near = get_close_matches(str(path), siblings, 1, 0.8) or get_close_matches(source, also, 1, 0.6)
    hint = (
        f"did you mean {near[0]}?" if near else f"name a file, a folder, a glob, a URL, hub:NAME, or {', '.join(also)}."
    )
    return f"{key}={source} does not exist; {hint}"


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading its bytes, decompressed where its name ends in ``.gz``."""
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def unreadable(path: Path, error: Exception, key: str) -> str:
    """The sentence for a file that cannot be opened or decompressed."""
    if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
        return f"{key}={path} is a damaged gzip file ({error}); fetch or compress it again."
    return f"{key}={path} cannot be read ({getattr(error, 'strerror', None) or error}); check its permissions."


def not_utf8(path: Path, error: UnicodeDecodeError, offset: int, line: int, key: str) -> str:
    """The sentence for a decoding error in bytes that begin at ``offset`` and ``line`` of the file."""
    at_line = line + error.object[: error.start].count(b"\n")
    return (
        f"{key}: {path}, line {at_line} (byte {offset + error.start}): byte 0x{error.object[error.start]:02x} is not "
        "UTF-8; save the file as UTF-8 (from Latin-1: iconv -f LATIN1 -t UTF-8)."
    )


def text_blocks(
    path: Path, key: str = "data.source", block: int = _BLOCK, stretch: Stretch | None = None
) -> Iterator[str]:
    """Yield a text file in blocks of about ``block`` bytes that end after a line, so memory stays flat.

    A block ends inside of a line only where the line is longer than a block; a CRLF is never torn. Of a ``stretch``
    alone the blocks are the same, but where it begins and ends.

    Raises:
        UserError: the file cannot be read, or is not UTF-8: with line and byte; or it goes beyond the limits of
            `quatrain.corpora.bounds`.
    """
    start, stop, before = stretch or WHOLE
    decoder = codecs.getincrementaldecoder("utf-8")()
    held, offset, bound = "", start, bounds.unpacked_bound(path)

    def line() -> int:
        """The line that the bytes at ``offset`` stand in; counted when it is asked for, which is when all is over."""
        return before + 1 + count_lines(path, start, offset)

    try:
        with open_bytes(path) as stream:
            if start:
                stream.seek(start)
            # Reads end where those of the whole file do, so that blocks end there, too.
            while raw := stream.read(min(block - offset % block, stop - offset)):
                pending = decoder.getstate()[0]
                try:
                    held += decoder.decode(raw)
                except UnicodeDecodeError as error:
                    raise UserError(not_utf8(path, error, offset - len(pending), line(), key)) from error
                offset += len(raw)
                if offset > bound:
                    raise bounds.beyond_bound(path, bound, key)
                # The line before ended within this read of the whole file, too.
                first = start % block > 0 and offset - len(raw) == start
                cut = held.rfind("\n") + 1 if first else _block_end(held, block)
                if cut:
                    yield held[:cut]
                    held = held[cut:]
                if len(held) > bounds.LONGEST_LINE:
                    raise bounds.too_long(path, line(), key)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(unreadable(path, error, key)) from error
    pending = decoder.getstate()[0]
    try:
        held += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UserError(not_utf8(path, error, offset - len(pending), line(), key)) from error
    if held:
        yield held


def count_lines(path: Path, start: int, stop: int) -> int:
    """The line ends among some bytes of a file, decompressed."""
    with open_bytes(path) as stream:
        stream.seek(start)
        sizes = (min(_BLOCK, stop - place) for place in range(start, stop, _BLOCK))
        return sum(stream.read(size).count(b"\n") for size in sizes)


def _block_end(text: str, block: int) -> int:
    """Where to end a block: after the last line end, or before a space in a line that is too long; 0 for nowhere."""
    line_end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
    if line_end or len(text) < block:
        return line_end
    return max(text.rfind(" "), 0)


def byte_lines(path: Path, key: str = "data.source", stretch: Stretch | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number, line with its end) of a text file, or of a stretch, for formats that are read by line.

    Raises:
        UserError: as `text_blocks`.
    """
    start, stop, before = stretch or WHOLE
    offset, bound, longest = start, bounds.unpacked_bound(path), bounds.LONGEST_LINE
    try:
        with open_bytes(path) as stream:
            if start:
                stream.seek(start)
            short = bound == math.inf and path.stat().st_size <= longest
            lines = stream if short else iter(partial(stream.readline, longest + 1), b"")
            for number, raw in enumerate(lines, before + 1):
                if offset >= stop:
                    return
                end = offset + len(raw)
                if end > bound:
                    raise bounds.beyond_bound(path, bound, key)
                if len(raw) > longest:
                    raise bounds.too_long(path, number, key)
                try:
                    yield number, raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise UserError(not_utf8(path, error, offset, number, key)) from error
                offset = end
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(unreadable(path, error, key)) from error
