"""Record files: one text in each row of a jsonl, csv, tsv or parquet file."""

import csv
import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.files import byte_lines, suffix_of

_FIELD_LIMIT = 1 << 30
_ROWS = 1024


def records(path: Path, column: str, key: str = "data.source") -> Iterator[tuple[int, str]]:
    """Yield (line, text) for each row of a record file, ``text`` from ``column``.

    Lines are the file's, counted from 1 (rows of a parquet file). Blank lines of a text format are passed over.

    Raises:
        UserError: a file that cannot be read, a missing column (with what is there and the nearest spelling), a row
            that is no record, or a value that is not a text: with file and line.
    """
    suffix = (suffix_of(path.name) or "").removesuffix(".gz")
    if suffix == ".jsonl":
        return _json_lines(path, column, key)
    if suffix == ".parquet":
        return _parquet(path, column, key)
    return _table(path, column, "\t" if suffix == ".tsv" else ",", key)


def missing_column(where: str, column: str, present: Iterable[str], key: str = "data.text_column") -> str:
    """The sentence for a column that is not there."""
    names = list(present)
    near = get_close_matches(column, names, 1, 0.5)
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
    return value


def _json_lines(path: Path, column: str, key: str) -> Iterator[tuple[int, str]]:
    for number, line in _without_mark(byte_lines(path, key)):
        if not line.strip():
            continue
        where = f"{key}: {path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is no JSON ({error}); write one JSON object a line.") from error
        if not isinstance(row, dict):
            kind = type(row).__name__
            raise UserError(f'{where} is a JSON {kind}, not an object; write one object a line, {{"{column}": "..."}}.')
        if column not in row:
            raise UserError(missing_column(f"{path}, line {number}", column, row))
        text = text_value(row[column], where, column)
        # Only an escape can bring in half of a surrogate pair, which is no character and has no UTF-8.
        if "\\u" in line and (broken := _lone_surrogate(text)):
            raise UserError(f"{where}: {column} holds {broken}, half of a pair and no character; mend the escape.")
        yield number, text


def _lone_surrogate(text: str) -> str | None:
    found = next((letter for letter in text if "\ud800" <= letter <= "\udfff"), None)
    return f"\\u{ord(found):04x}" if found else None


def _table(path: Path, column: str, delimiter: str, key: str) -> Iterator[tuple[int, str]]:
    # The limit of 128 KiB a field belongs to the process; documents are longer.
    csv.field_size_limit(_FIELD_LIMIT)
    lines = (line for _, line in _without_mark(byte_lines(path, key)))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = _rows(reader, path, key)
    header = next(rows, (0, []))[1]
    if column not in header:
        raise UserError(missing_column(str(path), column, header))
    place = header.index(column)
    for number, row in rows:
        if row and len(row) != len(header):
            raise UserError(
                f"{key}: {path}, line {number} has {len(row)} fields where the header has {len(header)}; "
                "mend the row (a field with the separator in it stands in double quotes)."
            )
        if row:
            yield number, row[place]


def _rows(reader: Any, path: Path, key: str) -> Iterator[tuple[int, list[str]]]:
    while True:
        first = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise UserError(f"{key}: {path}, line {first}: {error}; mend the quotes of that row.") from error
        if row is None:
            return
        yield first, row


def _parquet(path: Path, column: str, key: str) -> Iterator[tuple[int, str]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                raise UserError(missing_column(str(path), column, file.schema_arrow.names))
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=[column]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield number, text_value(value, f"{key}: {path}, row {number}", column)
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{key}={path} cannot be read as parquet ({error}); write it again.") from error


def _without_mark(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines without a byte-order mark before the first, which would become part of the first column's name."""
    for number, line in lines:
        yield number, line.removeprefix("\ufeff") if number == 1 else line
