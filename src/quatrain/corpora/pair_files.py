"""Reading rows from files: JSON lines, comma- and tab-separated values, Parquet.

Each format gives the same thing, a stream of ``(number, row)`` where ``row`` maps column names to values and ``number``
is the line of the file (for Parquet the row, from 1), so that a sentence about a row can say where it stands.
In tab-separated files a quote is a character like any other, as GLUE's own files have it; comma-separated files quote
as RFC 4180 has it. A byte-order mark at the head of a file is never part of its first column's name.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.files import byte_lines

Row = Mapping[str, Any]
NumberedRows = Iterator[tuple[int, Row]]


@dataclass(frozen=True)
class RowStream:
    """Rows that can be read again and again. ``origin`` and ``unit`` tell where a row stands."""

    origin: str
    unit: str  # "line" or "row"
    read: Callable[[], NumberedRows]

    def place(self, number: int) -> str:
        """Where row ``number`` stands, for a sentence."""
        return f"{self.origin}, {self.unit} {number}"


def row_format(path: Path) -> str | None:
    """The format that the name of ``path`` tells (``jsonl``, ``csv``, ``tsv``, ``parquet``), or None."""
    suffixes = path.name.lower().split(".")[1:]
    compressed = suffixes[-1:] == ["gz"]
    ending = (suffixes[:-1] if compressed else suffixes)[-1:]
    if ending == ["parquet"]:
        return None if compressed else "parquet"
    return ending[0] if ending and ending[0] in _READERS else None


def row_stream(path: Path) -> RowStream:
    """The rows of the file ``path``, which must have a known suffix. Reading raises UserError where it is malformed."""
    kind = row_format(path)
    if kind == "parquet":
        return RowStream(str(path), "row", lambda: _parquet_rows(path))
    if kind is None:
        raise UserError(f"{path} has no known suffix; write {KNOWN_SUFFIXES}.")
    reader = _READERS[kind]
    return RowStream(str(path), "line", lambda: reader(path))


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 text file, plain or ``.gz``, with their numbers from 1 and their line ends.

    Raises:
        UserError: the file cannot be opened, is binary or damaged, or is not UTF-8.
    """
    for number, line in byte_lines(path):
        if "\0" in line:
            raise UserError(f"{path}, line {number}: a NUL byte, so this is no text file; give {KNOWN_SUFFIXES}.")
        yield number, line.removeprefix("\ufeff") if number == 1 else line


def _json_rows(path: Path) -> NumberedRows:
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"{path}, line {number}: not one JSON object ({error}); write one object a line."
            ) from error
        if not isinstance(row, dict):
            raise UserError(
                f"{path}, line {number}: holds a {type(row).__name__}, not an object; write one object a line."
            )
        yield number, row


def _comma_rows(path: Path) -> NumberedRows:
    reader = csv.reader((line for _, line in text_lines(path)), strict=True)
    start, header = 1, None
    try:
        for values in reader:
            if header is None:
                header = _header(values, path)
            elif values:
                yield start, _row(header, values, path, start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}, line {start}: {error}; check the quotes from there on.") from error


def _tab_rows(path: Path) -> NumberedRows:
    header = None
    for number, line in text_lines(path):
        line = line.rstrip("\r\n")
        if header is None:
            header = _header(line.split("\t"), path)
        elif line:
            yield number, _row(header, line.split("\t"), path, number)


def _header(names: list[str], path: Path) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}, line 1: the header names the column {twice[0]!r} twice; name each column once.")
    return names


def _row(header: list[str], values: list[str], path: Path, number: int) -> Row:
    if len(values) != len(header):
        raise UserError(
            f"{path}, line {number}: {len(values)} fields where the header has {len(header)}"
            f" ({', '.join(header)}); check the separators and quotes of this line."
        )
    return dict(zip(header, values, strict=True))


def _parquet_rows(path: Path) -> NumberedRows:
    number = 0
    for batch in _parquet_file(path).iter_batches(batch_size=1024):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _parquet_file(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is no readable Parquet file ({error}); write it again.") from error


_READERS: dict[str, Callable[[Path], NumberedRows]] = {"jsonl": _json_rows, "csv": _comma_rows, "tsv": _tab_rows}

KNOWN_SUFFIXES = ".jsonl, .csv or .tsv (each also with .gz) or .parquet"
