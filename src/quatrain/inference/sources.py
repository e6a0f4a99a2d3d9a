"""Where rows come from: a file or standard input, read as it comes."""

import codecs
import math
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import IO

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.corpora.file_contents import open_bytes, unreadable
from quatrain.corpora.files import SUFFIXES, suffix_of
from quatrain.corpora.pair_files import NumberedRows, keyed, tab_rows
from quatrain.corpora.parquet import open_parquet
from quatrain.corpora.records import Refuse, json_rows, table_rows, without_mark

STANDARD_INPUT = "-"
FORMATS = ("txt", "jsonl", "csv", "tsv")
"""What standard input may hold; a file also Parquet."""

LINE = "text"
"""The column that a line of text is in."""

_KEY = "FILE"


@dataclass(frozen=True)
class Source:
    """``origin`` in words, the ``form`` of the rows (of `FORMATS`, or parquet), the file (None: standard input)."""

    origin: str
    form: str
    path: Path | None

    @property
    def unit(self) -> str:
        """What the numbers of rows count."""
        return "row" if self.form == "parquet" else "line"


def find_source(given: str, form: str | None) -> Source:
    """Return what FILE names: a file whose suffix, unless ``form`` is given, tells its format, or standard input.

    Raises:
        UserError: it is not there, is empty, or is of no format that is read.
    """
    if given == STANDARD_INPUT:
        return Source("standard input", form or "txt", None)
    path = Path(given).expanduser()
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(_not_there(given, path, error)) from error
    if path.is_dir():
        raise UserError(f"{given} is a folder; name a file, or {STANDARD_INPUT} for standard input.")
    suffix = suffix_of(path.name)
    if suffix is None and form is None:
        raise UserError(
            f"{given} has an ending that is not read; allowed are {', '.join(SUFFIXES)}: rename it, or tell its format"
            " with --input-format."
        )
    if path.is_file() and not size:
        raise UserError(f"{given} is empty; name a file that holds rows.")
    return Source(given, form or str(suffix).removesuffix(".gz").lstrip("."), path)


def numbered_rows(source: Source, refuse: Refuse) -> NumberedRows:
    """Yield (line, or row of a Parquet file; columns) one by one; blank lines are passed over.

    A line of text is a row with the column `LINE`. In text, bytes that are not UTF-8 come as what Python's
    surrogateescape makes of them, so that the row can be told.

    Raises:
        UserError: the source cannot be read, or a row is not in its form and ``refuse`` does not go on.
    """
    with _without_keys():
        if source.form == "parquet" and source.path:
            with open_parquet(source.path, _KEY) as file:
                yield from file.rows()
            return
        lines = without_mark(_lines(source))
        if source.form == "txt":
            yield from ((number, {LINE: line.rstrip("\r\n")}) for number, line in lines if line.strip())
        elif source.form == "jsonl":
            yield from json_rows(lines, source.origin, refuse)
        elif source.form == "csv":
            yield from keyed(table_rows(lines, source.origin, ",", refuse), source.origin)
        else:
            yield from keyed(tab_rows(lines, source.origin, refuse=refuse), source.origin)


def numbered_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Yield (number, line with its end) one by one, decoded as `numbered_rows` says.

    Raises:
        UserError: the source cannot be read, or holds what is no text or a line beyond all measure.
    """
    with _without_keys():
        yield from _lines(source)


@contextmanager
def _without_keys() -> Iterator[None]:
    """Sentences of the readers name the file alone."""
    try:
        yield
    except UserError as error:
        told = [sentence.removeprefix(f"{_KEY}=").removeprefix(f"{_KEY}: ") for sentence in error.sentences]
        raise type(error)(told) from error


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    bound = bounds.unpacked_bound(source.path) if source.path else math.inf
    size = 0
    try:
        with _opened(source) as stream:
            for number, raw in enumerate(iter(partial(stream.readline, bounds.LONGEST_LINE + 1), b""), 1):
                size += len(raw)
                if source.path and size > bound:
                    raise bounds.beyond_bound(source.path, bound, _KEY)
                if len(raw) > bounds.LONGEST_LINE:
                    raise bounds.too_long(source.origin, number, _KEY)
                if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise UserError(f"{source.origin} is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8).")
                if b"\0" in raw:
                    raise UserError(f"{source.origin}, line {number}: a NUL byte, so this is no text; give UTF-8 text.")
                yield number, raw.decode("utf-8", "surrogateescape")
    except (OSError, EOFError, zlib.error) as error:
        if source.path:
            raise UserError(unreadable(source.path, error, _KEY)) from error
        raise UserError(f"{source.origin} cannot be read ({error}); try again.") from error


def _opened(source: Source) -> AbstractContextManager[IO[bytes]]:
    if source.path:
        return open_bytes(source.path)
    if sys.stdin is None:
        raise UserError("standard input is closed; give what is to be read there.")
    return nullcontext(sys.stdin.buffer)


def _not_there(given: str, path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"{given} cannot be read ({error.strerror}); check its permissions."
    try:
        near = get_close_matches(path.name, [sibling.name for sibling in path.parent.iterdir()], 1, 0.7)
    except OSError:
        near = []
    hint = f"did you mean {path.with_name(near[0])}?" if near else f"name a file, or {STANDARD_INPUT}."
    if not near and any(map(str.isspace, given)):
        hint = (
            f"name a file; texts themselves are read from standard input ({STANDARD_INPUT}), one a line: echo TEXT |"
            f" quatrain ... {STANDARD_INPUT}"
        )
    return f"{given} does not exist; {hint}"
