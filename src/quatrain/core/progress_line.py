"""One line on a terminal that says how far a long work is; nothing in a pipe, and nothing of a short work."""

import sys
import time
from types import TracebackType
from typing import TextIO

PATIENCE = 1.0
"""Seconds of work before the line is shown."""

_BETWEEN = 0.2


class ProgressLine:
    """A context manager; the line is gone at its end.

    Args:
        what: the work, in a word or two.
        total: how much there is to do; None where that is not known.
        unit: what is counted, for the rate.
        millions: count in millions.
        stream: where to write; None is standard error.
    """

    def __init__(
        self,
        what: str,
        *,
        total: int | None = None,
        unit: str,
        millions: bool = True,
        stream: TextIO | None = None,
    ) -> None:
        self._what, self._total, self._unit, self._millions = what, total, unit, millions
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._begun = self._next = time.monotonic()
        self._next += PATIENCE
        self._width = 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._write("")

    def show(self, done: int, counted: int) -> None:
        """Say that ``done`` of the total is done and ``counted`` units were counted, unless that was said just now."""
        if not self._shows or (now := time.monotonic()) < self._next:
            return
        self._next = now + _BETWEEN
        seconds = max(now - self._begun, 1e-9)
        said = f"{self._what}: {self._counted(counted, counted / seconds)}"
        if self._total and done:
            left = round(seconds * max(self._total - done, 0) / done)
            said += f", {min(done / self._total, 1):.0%}, {left // 60}:{left % 60:02d} left"
        self._write(said)

    def _counted(self, counted: int, rate: float) -> str:
        if self._millions:
            return f"{counted / 1e6:,.1f} million {self._unit}, {rate / 1e6:.2f} million/s"
        return f"{counted:,} {self._unit}, {rate:,.0f}/s"

    def _write(self, text: str) -> None:
        self._stream.write(f"\r{text:{self._width}}" + ("" if text else "\r"))
        self._stream.flush()
        self._width = max(self._width, len(text))
