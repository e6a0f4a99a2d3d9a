"""A list of runs for the eye and for programs: chosen, sorted, and the jobs of a sweep in one row."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quatrain.runs.inventory import Entry, Metric
from quatrain.runs.units import in_age, in_bytes, in_time

Sorting = Literal["age", "metric", "size"]

HEADINGS = ("status", "best", "age", "took", "size", "experiment", "changed")


@dataclass(frozen=True)
class Row:
    """One run, or all of a sweep's that were found."""

    entries: tuple[Entry, ...]
    sweep: Path | None = None

    @property
    def path(self) -> Path:
        """Of the run, or of the sweep."""
        return self.sweep or self.entries[0].path

    @property
    def metric(self) -> Metric | None:
        """The best of all that are of the first one's metric."""
        found = [entry.metric for entry in self.entries if entry.metric]
        same = [one for one in found if one.name == found[0].name]
        return min(same, key=_goodness, default=None)

    @property
    def time(self) -> float:
        """When the last of them changed its status."""
        return max(entry.time for entry in self.entries)

    @property
    def bytes(self) -> int:
        """Of all of them."""
        return sum(entry.bytes for entry in self.entries)

    def cells(self, now: float) -> tuple[str, ...]:
        """What stands under each of `HEADINGS`."""
        seconds = [entry.seconds for entry in self.entries if entry.seconds is not None]
        metric, first = self.metric, self.entries[0]
        score = f"{metric.name} {metric.value:.4g}" if metric else f"step {first.step:,}" if first.step else "-"
        names = {entry.experiment for entry in self.entries}
        return (
            "sweep" if self.sweep else first.status.status,
            score if metric or not self.sweep else "-",
            in_age(max(0.0, now - self.time)),
            in_time(sum(seconds)) if seconds else "-",
            in_bytes(self.bytes),
            first.experiment if len(names) == 1 else "several",
            counted(self.entries) if self.sweep else first.changed,
        )


def chosen(entries: Iterable[Entry], statuses: Sequence[str] | None) -> list[Entry]:
    """Those of one of ``statuses``; None: all."""
    return [entry for entry in entries if statuses is None or entry.status.status in statuses]


def rows(entries: Sequence[Entry], *, sorting: Sorting, grouped: Iterable[Path]) -> list[Row]:
    """A row for each of the sweeps ``grouped``, and one for every run that is of none of them.

    Newest first, or by size the largest, or by metric the best: runs of one metric stand together, and those without
    one at the end.
    """
    together: dict[Path, list[Entry]] = {sweep: [] for sweep in grouped}
    found = []
    for entry in entries:
        if entry.sweep in together:
            together[entry.sweep].append(entry)
        else:
            found.append(Row((entry,)))
    found += [Row(tuple(jobs), sweep) for sweep, jobs in together.items() if jobs]
    if sorting == "metric":
        return sorted(found, key=lambda row: (row.metric is None, *_by_metric(row), -row.time))
    return sorted(found, key=lambda row: (-row.bytes if sorting == "size" else -row.time, str(row.path)))


def counted(entries: Iterable[Entry]) -> str:
    """How many of which status, as ``12 done, 1 failed``."""
    counts = Counter(entry.status.status for entry in entries)
    return ", ".join(f"{count:,} {status}" for status, count in counts.most_common())


def as_plain(entry: Entry, now: float) -> dict[str, Any]:
    """One run as plain values; sizes are bytes and times seconds."""
    metric = entry.metric
    return {
        "path": str(entry.path.absolute()),
        "sweep": str(entry.sweep.absolute()) if entry.sweep else None,
        "status": entry.status.status,
        "why": entry.status.why,
        "experiment": entry.experiment,
        "seed": entry.seed,
        "overrides": list(entry.overrides),
        "metric": {"name": metric.name, "value": metric.value, "mode": metric.mode} if metric else None,
        "step": entry.step,
        "time": entry.status.time,
        "age": entry.age(now),
        "seconds": entry.seconds,
        "bytes": entry.bytes,
    }


def plain_lines(shown: Sequence[Row]) -> Iterator[str]:
    """The rows for a program or a file: columns in line, the whole path at the end, and no tab."""
    from quatrain.core.terminal import one_line

    now = time.time()
    lines: list[tuple[str, ...]] = [(*HEADINGS, "path")]
    lines += [(*map(one_line, row.cells(now)), one_line(shown_path(row.path))) for row in shown]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
    for line in lines:
        cells = [cell.replace("\t", " ").ljust(width) for cell, width in zip(line, widths, strict=False)]
        yield "  ".join([*cells, line[-1].replace("\t", "\\t")])


def shown_path(path: Path) -> str:
    """``path`` from the working directory on, where it lies below it."""
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) and whole != here else str(whole)


def _goodness(metric: Metric) -> float:
    """Less is better; without a mode the smaller is."""
    return -metric.value if metric.mode == "max" else metric.value


def _by_metric(row: Row) -> tuple[str, float]:
    return (row.metric.name, _goodness(row.metric)) if row.metric else ("", 0.0)
