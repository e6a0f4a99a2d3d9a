"""The lines that make up a row of a quoted table, kept until the row is known to be good."""

import csv
from collections import deque
from collections.abc import Iterable

MOST_AGAIN = 1000
"""Lines of one row where lines are read again; without a bound, many stray quotes would take quadratic time."""


class LinesOfRow:
    """Lines for `csv.reader`, of which those of the row that is being read are kept to be read again."""

    def __init__(self, lines: Iterable[tuple[int, str]]) -> None:
        self._lines = iter(lines)
        self._held: list[tuple[int, str]] = []
        self._waiting: deque[tuple[int, str]] = deque()

    def __iter__(self) -> "LinesOfRow":
        return self

    def __next__(self) -> str:
        if self._waiting and len(self._held) >= MOST_AGAIN:
            raise csv.Error(f"a quote is not closed within {MOST_AGAIN:,} lines")
        self._held.append(self._waiting.popleft() if self._waiting else next(self._lines))
        return self._held[-1][1]

    def begin(self) -> None:
        """A new row begins."""
        self._held = []

    def again(self) -> None:
        """Give the lines of the row once more, but for its first."""
        self._waiting.extendleft(reversed(self._held[1:]))

    @property
    def first(self) -> int:
        """The number of the row's first line."""
        return self._held[0][0]

    @property
    def extent(self) -> str:
        """How far a row of several lines was read, in words."""
        return f" (a quote joins the lines {self.first} to {self._held[-1][0]})" if len(self._held) > 1 else ""
