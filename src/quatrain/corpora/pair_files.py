"""Reading rows from files: JSON lines, comma- and tab-separated values, Parquet.

Each format gives the same thing, a stream of ``(number, row)`` where ``row`` maps column names to values and ``number``
is the line of the file (for Parquet the row, from 1), so that a sentence about a row can say where it stands.
In tab-separated files a quote is a character like any other, as GLUE's own files have it; comma-separated files quote
as RFC 4180 has it. A byte-order mark at the head of a file is never part of its first column's name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.files import SUFFIXES, byte_lines, suffix_of
from quatrain.corpora.parquet import open_parquet
from quatrain.corpora.records import json_rows, table_rows, uneven, without_mark

Row = Mapping[str, Any]
NumberedRows = Iterator[tuple[int, Row]]

PAIR_SUFFIXES = tuple(suffix for suffix in SUFFIXES if not suffix.startswith(".txt"))
KNOWN_SUFFIXES = ".jsonl, .csv, .tsv or .parquet (each also with .gz)"

_PART = 1 << 40
"""More than any file has lines; among rows of several files a number is the file's place times this, plus the line."""


@dataclass(frozen=True)
class RowStream:
    """Rows that can be read again and again. ``origin`` and ``unit`` tell where a row stands."""

    origin: str
    unit: str  # "line" or "row"
    read: Callable[[], NumberedRows]
    parts: tuple["RowStream", ...] = ()

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

    return RowStream(origin, "row", rows, tuple(streams))


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
    return RowStream(named, "row" if kind == "parquet" else "line", lambda: reader(path, named))


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 text file, plain or ``.gz``, with their numbers from 1 and their line ends.

    Raises:
        UserError: the file cannot be opened, is binary or damaged, or is not UTF-8.
    """
    for number, line in without_mark(byte_lines(path)):
        if "\0" in line:
            raise UserError(f"{path}, line {number}: a NUL byte, so this is no text file; give {KNOWN_SUFFIXES}.")
        yield number, line


def _json_rows(path: Path, named: str) -> NumberedRows:
    return json_rows(text_lines(path), named)


def _comma_rows(path: Path, named: str) -> NumberedRows:
    return _keyed(table_rows(text_lines(path), named, ","), named)


def _tab_rows(path: Path, named: str) -> NumberedRows:
    return _keyed(_tab_fields(path, named), named)


def _tab_fields(path: Path, named: str) -> Iterator[tuple[int, list[str]]]:
    header = None
    for number, line in text_lines(path):
        fields = line.rstrip("\r\n").split("\t")
        header = header or fields
        if len(fields) != len(header) and fields != [""]:
            raise UserError(uneven(f"{named}, line {number}", fields, header, "its tabs"))
        if fields != [""]:
            yield number, fields


def _keyed(rows: Iterator[tuple[int, list[str]]], named: str) -> NumberedRows:
    _, header = next(rows, (1, []))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{named}, line 1: the header names the column {twice[0]!r} twice; name each column once.")
    for number, values in rows:
        yield number, dict(zip(header, values, strict=True))


def _parquet_rows(path: Path, named: str) -> NumberedRows:
    with open_parquet(path) as file:
        yield from file.rows()


_READERS: dict[str, Callable[[Path, str], NumberedRows]] = {
    "jsonl": _json_rows,
    "csv": _comma_rows,
    "tsv": _tab_rows,
    "parquet": _parquet_rows,
}
