"""What a shard of a text corpus leaves for those who join the shards: its text as JSON, and numbers about it.

``text`` is what the published files hold, if no line had to go: documents as JSON lines, in entries. An entry is a
document or a piece of one; the first and the last document of a part may go on in other parts. ``entry.*`` have a
number for each entry. Where lines may be dropped, so that the text is by lines, ``line.*`` have one for each line, and
``raw.*`` one for each raw text (a file, or a row of one).
"""

import json
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

BEGIN, SEPARATOR, END = b'{"text": "', b"\\n", b'"}\n'
"""What stands before a document, before each line of it where the text is by lines, and behind it."""

BEGINS, ENDS, HOLDS_TEXT, LINE_END, PLAIN = 1, 2, 4, 8, 16
"""Flags of an entry: first and last of its document; not blank; the document ends with a line's end (by lines); its
lines are lines of a file."""

TEXT = "text"
ENTRY = {"bytes": "I", "characters": "I", "key": "Q", "flags": "B", "split": "B"}
ENTRY_BY_LINES = {**ENTRY, "lines": "I", "line": "Q", "raw": "I"}
LINE = {"hash": "Q", "bytes": "I", "characters": "I"}
RAW = {"file": "I", "line": "Q"}

_FLUSH = 1 << 14


def columns_of(by_lines: bool) -> dict[str, dict[str, str]]:
    """The names and types (of `array`) of the numbers of a part."""
    return {"entry": ENTRY_BY_LINES, "line": LINE, "raw": RAW} if by_lines else {"entry": ENTRY}


def escaped(text: str) -> bytes:
    """A text as it stands between the quotes of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8")


class PartWriter:
    """Writes the text and the numbers of a part into a folder; memory stays flat."""

    def __init__(self, folder: Path, *, by_lines: bool) -> None:
        self._stack = ExitStack()
        self._text = self._stack.enter_context((folder / TEXT).open("wb"))
        self._tables = {
            table: [
                (name, array(kind), self._stack.enter_context((folder / f"{table}.{name}").open("wb")))
                for name, kind in columns.items()
            ]
            for table, columns in columns_of(by_lines).items()
        }
        self.counts = dict.fromkeys(self._tables, 0)
        """Rows of each table so far."""

    def __enter__(self) -> "PartWriter":
        """The writer itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close its files."""
        for _, values, file in (column for columns in self._tables.values() for column in columns):
            _flush(values, file)
        self._stack.close()

    def text(self, data: bytes | bytearray) -> None:
        """Add to the text."""
        self._text.write(data)

    def row(self, table: str, **values: int) -> None:
        """Add a row to a table."""
        self.counts[table] += 1
        for name, column, file in self._tables[table]:
            column.append(values[name])
            if len(column) >= _FLUSH:
                _flush(column, file)


def _flush(values: "array[int]", file: IO[bytes]) -> None:
    values.tofile(file)
    del values[:]


class Part:
    """A part that is read: its manifest, and the numbers about its text as arrays."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.by_lines: bool = manifest["by_lines"]

    def column(self, table: str, name: str) -> np.ndarray:
        """[rows of the table] a column."""
        return np.fromfile(self.folder / f"{table}.{name}", columns_of(self.by_lines)[table][name])

    def chunks(self, size: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The text as uint8, some entries at a time: (which entries, their bytes), about ``size`` bytes each."""
        ends = np.cumsum(self.column("entry", "bytes"), dtype=np.int64)
        first, start = 0, 0
        with (self.folder / TEXT).open("rb") as file:
            while first < len(ends):
                last = max(int(np.searchsorted(ends, start + size, side="right")), first + 1)
                yield slice(first, last), np.frombuffer(file.read(int(ends[last - 1]) - start), np.uint8)
                first, start = last, int(ends[last - 1])
