"""Record files: rows of jsonl, csv, tsv and parquet files, and the one text in each row."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.bounds import LONGEST_LINE
from quatrain.corpora.file_contents import Stretch, byte_lines
from quatrain.corpora.files import suffix_of
from quatrain.corpora.parquet import open_parquet
from quatrain.corpora.row_lines import LinesOfRow

Lines = Iterable[tuple[int, str]]

Refuse = Callable[[UserError], None]
"""What is done about a bad row: its error is raised, or kept, and then the row is left out."""


def records(
    path: Path, column: str, key: str = "data.source", stretch: Stretch | None = None
) -> Iterator[tuple[int, str]]:
    """Yield (line, text) for each row of a record file, ``text`` from ``column``.

    Lines are the file's, counted from 1 (rows of a parquet file). Blank lines of a text format are passed over. A
    ``stretch`` of a jsonl file is one of its bytes, one of a parquet file of its rows; of others there is none.

    Raises:
        UserError: a file that cannot be read, a missing column (with what is there and the nearest spelling), a row
            that is no record, or a value that is not a text: with file and line.
    """
    suffix = (suffix_of(path.name) or "").removesuffix(".gz")
    if suffix == ".jsonl":
        return _of_json(path, column, key, stretch)
    if suffix == ".parquet":
        return _of_parquet(path, column, key, stretch)
    return _of_table(path, column, "\t" if suffix == ".tsv" else ",", key)


def missing_column(
    where: str, column: str, present: Iterable[str], key: str = "data.text_column", meant: Iterable[str] | None = None
) -> str:
    """The sentence for a column that is not there; ``meant``: which of those present can have been, None: any."""
    names = list(present)
    near = get_close_matches(column, names if meant is None else list(meant), 1, 0.5)
    hint = f"did you mean {key}={near[0]}?" if near else f"name one of them as {key}."
    return f"{key}={column}: {where} has no such column, only {', '.join(names) or 'none'}; {hint}"


def text_value(value: Any, where: str, column: str) -> str:
    """``value`` itself where it is a text that can be written as UTF-8.

    Raises:
        UserError: it is not.
    """
    if not isinstance(value, str):
        shown = "null" if value is None else f"{type(value).__name__} {value!r:.40}"
        raise UserError(f"{where}: {column} is {shown}, not a text; mend the row, or name another data.text_column.")
    if broken := lone_surrogate(value):
        raise UserError(f"{where}: {column} holds {broken}, half of a pair and no character; mend the escape.")
    return value


def lone_surrogate(text: str) -> str | None:
    """The first half of a surrogate pair in ``text``, which has no UTF-8, as it is escaped; None where none is."""
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"\\u{ord(text[error.start]):04x}"
    return None


def stop(error: UserError) -> None:
    """Raise ``error``: the first bad row ends the reading."""
    raise error


def json_rows(lines: Lines, where: str, refuse: Refuse = stop) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, object) of JSON lines; ``where`` names the file in the sentences.

    Raises:
        UserError: a line that is no JSON object, unless ``refuse`` goes on.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            refuse(UserError(f"{where}, line {number} is no JSON ({error}); write one JSON object a line."))
            continue
        if not isinstance(row, dict):
            kind = type(row).__name__
            refuse(UserError(f"{where}, line {number} is a JSON {kind}, not an object; write one JSON object a line."))
            continue
        yield number, row


def table_rows(lines: Lines, where: str, delimiter: str, refuse: Refuse = stop) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, fields) of a table whose fields are quoted as RFC 4180 has it, the header first.

    Where ``refuse`` goes on after a row of several lines, which one stray quote makes of all lines to the next quote,
    only its first line is left out, and reading goes on with the second.

    Raises:
        UserError: a row with wrong quotes, or with another number of fields than the header, unless ``refuse`` goes on;
            a header with wrong quotes.
    """
    # The limit of 128 KiB a field belongs to the process; documents are longer.
    csv.field_size_limit(LONGEST_LINE)
    feed = LinesOfRow(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        feed.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            wrong = UserError(f"{where}, line {feed.first}: {error}{feed.extent}; mend the quotes of that row.")
            (stop if header is None else refuse)(wrong)
            feed.again()
            continue
        if row is None:
            return
        header = row if header is None else header
        if row and len(row) != len(header):
            fix = f"the row (a field with the separator in it stands in double quotes){feed.extent}"
            refuse(UserError(uneven(f"{where}, line {feed.first}", row, header, fix)))
            feed.again()
        elif row or row is header:
            yield feed.first, row


def uneven(where: str, row: list[str], header: list[str], mend: str) -> str:
    """The sentence for a row with another number of fields than the header; ``mend`` is what to mend."""
    shown = f"{len(header)} ({', '.join(header):.200})"
    return f"{where} has {len(row)} fields where the header has {shown}; mend {mend}."


def without_mark(lines: Lines) -> Iterator[tuple[int, str]]:
    """The lines without a byte-order mark before the first, which would become part of the first column's name."""
    for number, line in lines:
        yield number, line.removeprefix("\ufeff") if number == 1 else line


def _of_json(path: Path, column: str, key: str, stretch: Stretch | None) -> Iterator[tuple[int, str]]:
    for number, row in json_rows(json_lines(path, key, stretch), f"{key}: {path}"):
        if column not in row:
            raise UserError(missing_column(f"{path}, line {number}", column, row))
        yield number, text_value(row[column], f"{key}: {path}, line {number}", column)


def json_lines(path: Path, key: str, stretch: Stretch | None) -> Lines:
    """The lines of a JSON lines file or of a stretch, without the mark that may stand before the file's first."""
    lines = byte_lines(path, key, stretch)
    return lines if stretch and stretch.start else without_mark(lines)


def _of_table(path: Path, column: str, delimiter: str, key: str) -> Iterator[tuple[int, str]]:
    rows = table_rows(without_mark(byte_lines(path, key)), f"{key}: {path}", delimiter)
    _, header = next(rows, (1, []))
    if column not in header:
        raise UserError(missing_column(str(path), column, header))
    place = header.index(column)
    for number, row in rows:
        yield number, row[place]


def _of_parquet(path: Path, column: str, key: str, stretch: Stretch | None) -> Iterator[tuple[int, str]]:
    with open_parquet(path, key) as file:
        if column not in file.columns:
            raise UserError(missing_column(str(path), column, file.columns))
        for number, row in file.rows([column], stretch):
            yield number, text_value(row[column], f"{key}: {path}, row {number}", column)
