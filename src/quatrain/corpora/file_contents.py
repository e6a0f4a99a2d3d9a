"""The contents of text files, as checked, decoded blocks or lines."""

import codecs
import gzip
import math
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.corpora.files import SUFFIXES, suffix_of

_BLOCK = 1 << 20
_HEAD = 1 << 16


class Stretch(NamedTuple):
    """A part of a file: its bytes from ``start`` to ``stop``, both right after a line's end, or the file's ends.

    ``before``: the lines of the file that come before it, so that numbers of lines are the file's.
    """

    start: int = 0
    stop: int = sys.maxsize
    before: int = 0


WHOLE = Stretch()


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
