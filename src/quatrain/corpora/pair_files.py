"""Reading rows from files: JSON lines, comma- and tab-separated values, Parquet.

Each format gives the same thing, a stream of ``(number, row)`` where ``row`` maps column names to values and ``number``
is the line of the file (for Parquet the row, from 1), so that a sentence about a row can say where it stands.
In tab-separated files a quote is a character like any other, as GLUE's own files have it; comma-separated files quote
as RFC 4180 has it. A byte-order mark at the head of a file is never part of its first column's name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.file_contents import WHOLE, Stretch, byte_lines
from quatrain.corpora.files import SUFFIXES, suffix_of
from quatrain.corpora.parquet import open_parquet
from quatrain.corpora.records import Lines, Refuse, json_rows, stop, table_rows, uneven, without_mark
from quatrain.corpora.shard_cuts import LINES, Bytes, Extent, Rows

Row = Mapping[str, Any]
NumberedRows = Iterator[tuple[int, Row]]

PAIR_SUFFIXES = tuple(suffix for suffix in SUFFIXES if not suffix.startswith(".txt"))
KNOWN_SUFFIXES = ".jsonl, .csv, .tsv or .parquet (each also with .gz)"

_PART = 1 << 40
"""More than any file has lines; among rows of several files a number is the file's place times this, plus the line."""


@dataclass(frozen=True)
class RowCut:
    """How rows are cut into shards: ``extent`` tells where, ``read`` gives a stretch of them."""

    extent: Callable[[], Extent]
    read: Callable[[Stretch], NumberedRows]


@dataclass(frozen=True)
class RowStream:
    """Rows that can be read again and again. ``origin`` and ``unit`` tell where a row stands.

    ``files``: those that are read; ``content``: what tells rows from others where they are in none. ``cut``: None where
    all rows belong together.
    """

    origin: str
    unit: str  # "line" or "row"
    read: Callable[[], NumberedRows]
    parts: tuple["RowStream", ...] = ()
    files: tuple[Path, ...] = ()
    content: str = ""
    cut: RowCut | None = None

    def number(self, part: int, inner: int) -> int:
        """The number of the row that has the number ``inner`` in a part."""
        return part * _PART + inner if self.parts else inner

    def locate(self, number: int) -> tuple[str, int]:
        """The file (or other origin) that row ``number`` stands in, and its line or row there."""
        if not self.parts:
            return self.origin, number
        place, inner = divmod(number, _PART)
        return self.parts[place].locate(inner)

    def place(self, number: int) -> str:
        """Where row ``number`` stands, for a sentence."""
        if not self.parts:
            return f"{self.origin}, {self.unit} {number}"
        place, inner = divmod(number, _PART)
        return self.parts[place].place(inner)


def joined(streams: Sequence[RowStream], origin: str) -> RowStream:
    """The rows of one stream after the other; ``origin`` names them together."""
    if len(streams) == 1:
        return streams[0]

    def rows() -> NumberedRows:
        for place, stream in enumerate(streams):
            for number, row in stream.read():
                yield place * _PART + number, row

    files = tuple(file for stream in streams for file in stream.files)
    return RowStream(origin, "row", rows, tuple(streams), files)


def row_format(path: Path) -> str | None:
    """The format that the name of ``path`` tells (``jsonl``, ``csv``, ``tsv``, ``parquet``), or None."""
    suffix = suffix_of(path.name)
    return suffix.removesuffix(".gz").lstrip(".") if suffix in PAIR_SUFFIXES else None


def row_stream(path: Path, origin: str | None = None) -> RowStream:
    """The rows of the file ``path``, which sentences call ``origin`` where that is given.

    Raises:
        UserError: the file has no known suffix; and, when it is read, that it is malformed.
    """
    kind, named = row_format(path), origin or str(path)
    if kind is None:
        raise UserError(f"data.source={named} has no known suffix; pairs are read from {KNOWN_SUFFIXES}.")
    reader = _READERS[kind]
    unit = "row" if kind == "parquet" else "line"
    cut = RowCut(lambda: _extent(path, kind), lambda stretch: reader(path, named, stretch))
    cuttable = kind != "csv" and not path.name.lower().endswith(".gz")
    return RowStream(named, unit, lambda: reader(path, named, WHOLE), (), (path,), cut=cut if cuttable else None)


def _extent(path: Path, kind: str) -> Extent:
    size = path.stat().st_size
    if kind != "parquet":
        return Bytes(path, LINES, size)
    with open_parquet(path) as file:
        return Rows(size, file.count)


def text_lines(path: Path, stretch: Stretch = WHOLE) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 text file, plain or ``.gz``, or of a stretch, with their numbers from 1 and their line ends.

    Raises:
        UserError: the file cannot be opened, is binary or damaged, or is not UTF-8.
    """
    lines = byte_lines(path, stretch=stretch)
    for number, line in lines if stretch.start else without_mark(lines):
        if "\0" in line:
            raise UserError(f"{path}, line {number}: a NUL byte, so this is no text file; give {KNOWN_SUFFIXES}.")
        yield number, line


def _json_rows(path: Path, named: str, stretch: Stretch) -> NumberedRows:
    return json_rows(text_lines(path, stretch), named)


def _comma_rows(path: Path, named: str, _: Stretch) -> NumberedRows:
    return keyed(table_rows(text_lines(path), named, ","), named)


def _tab_rows(path: Path, named: str, stretch: Stretch) -> NumberedRows:
    if not stretch.start:
        return keyed(tab_rows(text_lines(path, stretch), named), named)
    first = next(tab_rows(text_lines(path), named), (1, []))
    return keyed(chain([first], tab_rows(text_lines(path, stretch), named, first[1])), named)


def tab_rows(
    lines: Lines, named: str, header: list[str] | None = None, refuse: Refuse = stop
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of tab-separated values, the header first unless it is given; ``named`` is the file.

    Raises:
        UserError: a row with another number of fields than the header, unless ``refuse`` goes on.
    """
    for number, line in lines:
        fields = line.rstrip("\r\n").split("\t")
        header = header or fields
        if fields == [""]:
            continue
        if len(fields) != len(header):
            refuse(UserError(uneven(f"{named}, line {number}", fields, header, "its tabs")))
            continue
        yield number, fields


def keyed(rows: Iterator[tuple[int, list[str]]], named: str) -> NumberedRows:
    """The rows of a table, whose first is the header, as mappings from column names.

    Raises:
        UserError: the header names a column twice.
    """
    _, header = next(rows, (1, []))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{named}, line 1: the header names the column {twice[0]!r} twice; name each column once.")
    for number, values in rows:
        yield number, dict(zip(header, values, strict=True))


def _parquet_rows(path: Path, named: str, stretch: Stretch) -> NumberedRows:
    with open_parquet(path) as file:
        yield from file.rows(None, stretch)


_READERS: dict[str, Callable[[Path, str, Stretch], NumberedRows]] = {
    "jsonl": _json_rows,
    "csv": _comma_rows,
    "tsv": _tab_rows,
    "parquet": _parquet_rows,
}
