"""``metrics.csv``: one row for each reported step, readable at any moment."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import cannot_write, flush, write_whole
from quatrain.core.errors import UserError
from quatrain.runs.reading import LARGEST_METRICS, read_text

FIRST = ("step", "epoch")

LONGEST_NUMBER = 400
"""Characters of a cell; the longest float has some 25, the longest whole number is a count."""


class MetricsFile:
    """Appends rows of numbers. Columns are ``step, epoch`` and then the others as they first come.

    A row of a step that already has a row of its kind (``train/``, ``val/``) is left out, so that steps that a resumed
    run repeats stand once. Floats are written so that reading gives back the same bits. A line that a killed process
    left unfinished is dropped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self._seen: set[tuple[float, str]] = set()
        self._torn = False
        if path.exists():
            self._load(read_rows(path))

    def append(self, row: Mapping[str, int | float]) -> None:
        """Add ``row``, which holds ``step``; a new column rewrites the file, whole.

        Raises:
            NotNow: the file cannot be written.
        """
        kinds = _kinds(row)
        if kinds and kinds <= self._seen:
            return
        new = [name for name in _ordered(row) if name not in self.columns]
        if new or self._torn:
            rows = read_rows(self.path) if self.columns else []
            self.columns += new
            self._rewrite([*rows, dict(row)])
        else:
            try:
                with self.path.open("a", encoding="utf-8", newline="") as file:
                    file.write(_lines(self.columns, [row]))
            except OSError as error:
                raise cannot_write(self.path, error) from error
        self._seen |= kinds

    def flush(self) -> None:
        """Have all rows on the disk: a checkpoint that stands for them is about to be named."""
        if self.path.exists():
            flush(self.path)

    def drop_after(self, step: int) -> None:
        """Drop the rows of later steps: a run that resumes at ``step`` takes them again."""
        rows = read_rows(self.path)
        kept = [row for row in rows if row["step"] <= step]
        if len(kept) < len(rows) or self._torn:
            self._seen = set().union(*map(_kinds, kept))
            self._rewrite(kept)

    def _load(self, rows: list[dict[str, int | float]]) -> None:
        with self.path.open(encoding="utf-8", newline="") as file:
            self.columns = next(csv.reader(file), [])
        self._seen = set().union(*map(_kinds, rows))
        self._torn = not self.path.read_bytes().endswith(b"\n")  # mended when it is written to: ranks only read

    def _rewrite(self, rows: Iterable[Mapping[str, int | float]]) -> None:
        header = io.StringIO()
        csv.writer(header, lineterminator="\n").writerow(self.columns)
        write_whole(self.path, header.getvalue() + _lines(self.columns, rows))
        self._torn = False


def read_rows(path: Path) -> list[dict[str, int | float]]:
    """Return the rows of a metrics file with the columns that each fills; none where there is no file.

    An unfinished last line is left out.

    Raises:
        UserError: a line holds something else than numbers, or the file is not one of ours.
    """
    if not path.exists():
        return []
    text = read_text(path, LARGEST_METRICS)
    rows = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    try:
        return [_row(row) for row in rows]
    except (ValueError, TypeError, csv.Error) as error:  # no number, more cells than columns, no table
        raise UserError(f"{path}, line {rows.line_num}: no row of numbers ({error}); mend or remove it.") from error


def _row(row: Mapping[str, str]) -> dict[str, int | float]:
    numbers = {name: _parse(value) for name, value in row.items() if value}
    if not isinstance(numbers.get("step"), int):
        raise ValueError("it has no step")
    return numbers


def _lines(columns: list[str], rows: Iterable[Mapping[str, int | float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else repr(float(value))


def _parse(text: str) -> int | float:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a cell of {len(text):,} characters")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _kinds(row: Mapping[str, int | float]) -> set[tuple[float, str]]:
    return {(row["step"], name.partition("/")[0]) for name in row if "/" in name}


def _ordered(row: Mapping[str, int | float]) -> list[str]:
    return [*FIRST, *(name for name in row if name not in FIRST)]
