"""How far a sweep is: one place that is redrawn on a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from quatrain.core.terminal import one_line
from quatrain.runs.naming import readable_tag
from quatrain.runs.units import in_whole_seconds
from quatrain.sweeps.best import Best, score
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.places import newest
from quatrain.sweeps.reached import reached

SHOWN = 8
"""Running jobs that have a line of their own."""

LOOKING = 0.3
"""Seconds after which a job counts as begun: one that is done, or another sweep's, is only looked at."""


class Progress:
    """Shows jobs done, running and failed, the best so far and the time left.

    Args:
        total: how many jobs there will be.
        folder: the sweep's folder.
        jobs: how many run at a time.
        stream: where to write; None is standard error.
    """

    def __init__(self, total: int, folder: Path, *, jobs: int = 1, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._total, self._folder, self._jobs = total, folder, jobs
        self._count: Counter[str] = Counter()
        self._seconds: list[float] = []
        self._best: Best | None = None
        self._since: dict[str, float] = {}
        self._told: set[str] = set()
        file = stream or sys.stderr
        self._console = Console(file=file, highlight=False)
        redraws = file.isatty() and self._console.is_interactive  # a log is none, whoever wants colours in it
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if redraws else None

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, running: Sequence[Job], elsewhere: Sequence[Job]) -> None:
        """Show what runs now, and what another sweep works on."""
        now = time.monotonic()
        self._since = {job.identity: self._since.get(job.identity, now) for job in running}
        begun = [job for job in running if now - self._since[job.identity] >= LOOKING]
        if self._live:
            self._live.update(self._drawn(begun, elsewhere), refresh=True)
            return
        for job in begun:
            if job.identity not in self._told:
                self._told.add(job.identity)
                self._say(f"job {job.number} begins: {label(job)}")

    def ended(self, ended: Ended) -> None:
        """Count a job that has ended and say how; on a terminal the sums stand below and are not repeated."""
        self._since.pop(ended.job.identity, None)
        self._count["skipped" if ended.skipped and ended.status in ("done", "pruned") else ended.status] += 1
        if not ended.skipped and ended.status in ("done", "pruned"):  # one that failed at once says nothing of others
            self._seconds.append(ended.seconds)
        self._best = Best.of(self._best, ended)
        if self._live and ended.skipped and ended.status != "failed":
            return
        said = f"job {ended.job.number} {_how(ended)}: {label(ended.job)}{self._where(ended)}"
        self._say(said if self._live else f"{said}  [{self._sums()}]")

    def _say(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text(one_line(line)), soft_wrap=True)

    def _where(self, ended: Ended) -> str:
        if ended.status in ("failed", "interrupted"):
            return f": {_first_sentence(ended.why or '')}"  # the list at the end has all of it
        value = score(ended)
        return f"  {value}" if value else ""

    def _sums(self) -> str:
        """The counts, the best and the time left, in a line."""
        over = self._count.total() - self._count["interrupted"]
        parts = [f"{over} of {self._total} over"]
        parts += [
            f"{number} {name}" for name, number in self._count.items() if name not in ("done", "skipped") and number
        ]
        if self._count["skipped"]:
            parts.append(f"{self._count['skipped']} done before")
        if self._best:
            parts.append(f"best {self._best}")
        if left := self._left():
            parts.append(f"about {left} left")
        return ", ".join(parts)

    def _left(self) -> str:
        """The time left, from the jobs that came to their end; nothing before the first did, or when none waits."""
        waiting = self._total - self._count.total()
        if not self._seconds or waiting <= 0:
            return ""
        mean = sum(self._seconds) / len(self._seconds)
        now = time.monotonic()
        under_way = sum(min(mean, now - at) for at in self._since.values())
        return in_whole_seconds(max(0.0, waiting * mean - under_way) / min(self._jobs, waiting))

    def _drawn(self, running: Sequence[Job], elsewhere: Sequence[Job]) -> Any:
        from rich.console import Group
        from rich.markup import escape
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for job in running[:SHOWN]:
            since = in_whole_seconds(now - self._since[job.identity])
            table.add_row(f"job {job.number}", escape(one_line(label(job))), since, escape(self._at(job)))
        if len(running) > SHOWN:
            table.add_row("", f"and {len(running) - SHOWN} more")
        if elsewhere:
            table.add_row("", f"{len(elsewhere)} run by another sweep")
        return Group(table, f"[bold]{escape(one_line(self._sums()))}")

    def _at(self, job: Job) -> str:
        """How far a job is, from the end of its metrics."""
        place = newest(self._folder, job.identity)
        return reached(place / "metrics.csv", job.config) if place else ""


def label(job: Job) -> str:
    """What sets a job apart, for the eye."""
    return readable_tag(job.apart or job.overrides)


def _how(ended: Ended) -> str:
    if ended.skipped:
        return f"was {ended.status} already" if ended.status != "failed" else "failed, as the equal job did"
    return f"{ended.status} after {in_whole_seconds(ended.seconds)}"


def _first_sentence(text: str) -> str:
    """The first sentence of ``text``; a full stop within a number or a name ends none."""
    first, stop, _ = text.partition(". ")
    return first + stop.rstrip()
