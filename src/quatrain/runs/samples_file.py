"""``samples.jsonl``: what the model said to the same few held-out examples at each validation, readable at any moment.

A line for each answer, as `quatrain.training.samples.Samples` gives them.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import cannot_write, flush, write_whole
from quatrain.core.errors import UserError
from quatrain.runs.reading import read_text

LARGEST_SAMPLES = 256 * 10**6

Sample = Mapping[str, Any]


class SamplesFile:
    """Appends rows. One whose ``step`` and ``number`` are there already is left out: a resumed run validates again.

    A line that a killed process left unfinished is dropped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: set[tuple[int, int]] = set()
        self._torn = False
        if path.exists():
            self._seen = set(map(_place, read_samples(path)))
            self._torn = not path.read_bytes().endswith(b"\n")  # mended when it is written to: ranks only read

    def append(self, rows: Sequence[Sample]) -> None:
        """Add the rows of one validation, at once.

        Raises:
            NotNow: the file cannot be written.
        """
        new = [row for row in rows if _place(row) not in self._seen]
        if self._torn:
            self._rewrite(read_samples(self.path))
        try:
            with self.path.open("ab") as file:
                file.write(_lines(new).encode())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._seen |= set(map(_place, new))

    def flush(self) -> None:
        """Have all rows on the disk: a checkpoint that stands for them is about to be named."""
        if self.path.exists():
            flush(self.path)

    def drop_after(self, step: int) -> None:
        """Drop the rows of later steps: a run that resumes at ``step`` takes them again."""
        rows = read_samples(self.path)
        kept = [row for row in rows if row["step"] <= step]
        if len(kept) < len(rows) or self._torn:
            self._rewrite(kept)

    def _rewrite(self, rows: Sequence[Sample]) -> None:
        write_whole(self.path, _lines(rows))
        self._seen, self._torn = set(map(_place, rows)), False


def read_samples(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a samples file in their order; none where there is no file.

    An unfinished last line is left out.

    Raises:
        UserError: the file is not one of ours.
    """
    if not path.exists():
        return []
    lines = read_text(path, LARGEST_SAMPLES).split("\n")[:-1]
    return [_row(path, number, line) for number, line in enumerate(lines, 1)]


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        if _fits(row):
            return dict(row)
    except (ValueError, RecursionError):
        pass
    raise UserError(f"{path}, line {number}: no sample of a model; mend or remove it.")


def _fits(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    numbers = all(type(row.get(name)) is int for name in ("step", "epoch", "number"))
    texts = all(isinstance(row.get(name), str) for name in ("shown", "said", "right"))
    return numbers and texts and isinstance(row.get("probability"), int | float | None)


def _place(row: Sample) -> tuple[int, int]:
    return row["step"], row["number"]


def _lines(rows: Sequence[Sample]) -> str:
    return "".join(json.dumps(_plain(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _plain(row: Sample) -> dict[str, Any]:
    """``row`` as JSON and UTF-8 can have it: no number that is not finite, no half of a surrogate pair."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value
