"""Writing rows with their answers as CSV, TSV or JSON lines."""

import io
import json
import math
import re
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TextIO

from quatrain.core.terminal import printable
from quatrain.inference.columns import Columns
from quatrain.inference.rows import Row

_QUOTED = re.compile('[",\r\n]')


class TextWriter:
    """Writes to a stream line by line; leaving it hands on what the stream holds.

    CSV is quoted as RFC 4180 has it, TSV has no quotes, and both have a header. In them a missing value and a null are
    empty, and what is neither text nor null is written as JSON. In JSON lines numbers that are not finite are null.
    """

    def __init__(self, stream: TextIO, columns: Columns) -> None:
        self._stream, self._columns = stream, columns
        self._begun = False
        self._line = {"csv": comma_line, "tsv": "\t".join}[columns.form] if columns.form != "jsonl" else None

    def __enter__(self) -> "TextWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._stream.flush()

    def write(self, row: Row, values: Sequence[Any]) -> None:
        """Add a row and the values of its added columns."""
        own, added = self._columns.own, self._columns.added
        if self._line is None:
            self._stream.write(f"{json_text({**row.columns, **dict(zip(added, values, strict=True))})}\n")
            return
        if not self._begun:
            self._begun = True
            self._stream.write(f"{self._line([*own, *added])}\n")
        given = [row.columns.get(name) for name in own]
        self._stream.write(f"{self._line([cell(value) for value in (*given, *values)])}\n")


class _Terminal(io.TextIOBase):
    """A terminal, which text of others cannot command."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(printable(text))

    def flush(self) -> None:
        self._stream.flush()


def standard_output() -> TextIO:
    """Standard output in UTF-8, whatever the system's encoding; made harmless where it is a terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict", newline="\n")
    return _Terminal(sys.stdout) if sys.stdout.isatty() else sys.stdout  # type: ignore[return-value]


def comma_line(cells: Sequence[str]) -> str:
    """A line of CSV without its end."""
    return ",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text for text in cells)


def cell(value: Any) -> str:
    """A value in a table: a text as it is, nothing for null, else JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def json_text(value: Any) -> str:
    """A value as JSON, of which dates and the like become texts, arrays lists, and numbers that are not finite null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    import numpy as np

    if not isinstance(value, np.ndarray):
        return str(value)
    # The shortest digits that give the same float32; as float64 they would be twice as many.
    return value.astype(str).astype(np.float64).tolist()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
