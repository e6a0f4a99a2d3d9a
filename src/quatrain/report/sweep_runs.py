"""All run directories below a folder, whatever became of each, as the report of a sweep shows them."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from quatrain.compare.finding import Found, find
from quatrain.compare.results import LARGEST, Floats, Incomplete, Pruned, Result, read_result
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.metrics_file import read_rows
from quatrain.runs.walk import SET_ASIDE

STATUSES = ("done", "pruned", "failed", "interrupted", "running", "queued", "unreadable")
ENDED_BADLY = ("failed", "interrupted", "unreadable")
CONSOLE = "console.log"
LARGEST_METRICS = 2 * 10**6
"""Bytes of the metrics of a run without a result; of a larger file no value is shown."""

Curve = tuple[Sequence[float] | Floats, Sequence[float] | Floats]
"""Steps and values."""

_KEY = re.compile(r"[+~]*(?P<key>[\w./@]+)=(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class SweptRun:
    """A run. ``result`` is what a comparison takes: None of one that is not done, or whose result cannot be used.

    ``place`` is its folder as the page names it, ``overrides`` are values by keys as the command line had them,
    ``curves`` steps and values of each metric.
    """

    name: str
    path: Path
    place: str
    status: str
    why: str | None
    time: str
    overrides: Mapping[str, str]
    result: Result | None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    scalars: Mapping[str, float] = field(default_factory=dict)

    @property
    def report(self) -> str | None:
        """The address of its own report beside the sweep's; None where there is none."""
        return address(f"{self.place}/report.html") if (self.path / "report.html").is_file() else None

    @property
    def folder(self) -> str:
        """The address of its folder."""
        return address(f"{self.place}/")

    @property
    def log(self) -> str | None:
        """The name of the log that tells most of a failure; None where there is none."""
        return next((name for name in ("run.log", CONSOLE) if (self.path / name).is_file()), None)


@dataclass(frozen=True)
class SweptRuns:
    """The runs by name, what cannot be said of some, and how many attempts at jobs failed before and were set aside."""

    runs: tuple[SweptRun, ...]
    told: tuple[str, ...]
    set_aside: int

    @property
    def results(self) -> list[Result]:
        """What can be compared."""
        return [run.result for run in self.runs if run.result is not None]

    def count(self, *statuses: str) -> int:
        """How many runs have one of ``statuses``."""
        return sum(run.status in statuses for run in self.runs)


def address(name: str) -> str:
    """A relative address of a file below the page's folder, whatever its name."""
    return "./" + quote(os.fsencode(name))


def read_runs(folder: Path, page: Path) -> SweptRuns:
    """Read what lies below ``folder``, for a ``page`` that names the runs' folders from its own.

    Raises:
        UserError: there is no such folder, or nothing of a run in it.
    """
    finding = find([str(folder)])
    told = list(finding.closed)
    beside = Path(os.path.relpath(folder.absolute(), page.absolute().parent))
    runs = [_run(found.path.parent, folder, beside, found, told) for found in finding.results]
    runs += [_run(path, folder, beside, None, told) for path in finding.unfinished]
    if not runs:
        raise UserError(f"Below {folder} lies no run directory; name the folder of a sweep, or one that holds runs.")
    return SweptRuns(tuple(sorted(runs, key=lambda run: run.name)), tuple(told), _set_aside(folder))


def _run(path: Path, folder: Path, beside: Path, found: Found | None, told: list[str]) -> SweptRun:
    """The run in ``path``; what is wrong with its files is added to ``told``."""
    result, pruned = _result(found, told)
    status, why, time = _status(path, has_result=found is not None, pruned=pruned)
    curves, scalars = (result.curves, result.scalars) if result else (_measured(path, told), {})
    return SweptRun(
        name=path.relative_to(folder).as_posix() if path != folder else path.name,
        path=path,
        place=(beside / path.relative_to(folder)).as_posix(),
        status=status,
        why=why,
        time=time,
        overrides=_overrides(path, told),
        result=result,
        curves=curves,
        scalars=scalars,
    )


def _result(found: Found | None, told: list[str]) -> tuple[Result | None, bool]:
    """What can be compared, and whether the run was ended early by its search."""
    if found is None:
        return None, False
    try:
        return read_result(found), False
    except Pruned:
        return None, True
    except Incomplete as error:
        told.append(
            f"{found.path} was written by an earlier quatrain without {', '.join(error.lacking)}; it is not compared."
        )
    except UserError as error:
        told += error.sentences
    return None, False


def _status(path: Path, *, has_result: bool, pruned: bool) -> tuple[str, str | None, str]:
    run = RunDirectory(path)
    if not os.path.lexists(run.status_file):  # results alone were copied
        return ("pruned" if pruned else "done" if has_result else "unreadable"), None, ""
    try:
        found = run.status()
    except UserError as error:
        return "unreadable", " ".join(error.sentences), ""
    return found.status, found.why, found.time


def _overrides(path: Path, told: list[str]) -> dict[str, str]:
    try:
        texts = RunDirectory(path).read_overrides()
    except UserError as error:
        told += error.sentences
        return {}
    return {match["key"]: match["value"] for text in texts if (match := _KEY.fullmatch(text))}


def _measured(path: Path, told: list[str]) -> dict[str, tuple[list[float], list[float]]]:
    """The curves of a run without a result of its own, as far as it came."""
    file = RunDirectory(path).metrics_file
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_METRICS:
            return {}
        rows = read_rows(file)
    except UserError as error:
        told += error.sentences
        return {}
    return _curves(rows)


def _curves(rows: Sequence[Mapping[str, int | float]]) -> dict[str, tuple[list[float], list[float]]]:
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith("val") or name == "train/loss":
                steps, values = curves.setdefault(name, ([], []))
                steps.append(_finite(row["step"]))
                values.append(_finite(value))
    return curves


def _finite(value: float) -> float:
    """``value``, NaN where it is as good as infinite."""
    return float(value) if abs(value) < LARGEST else math.nan


def _set_aside(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(bool(SET_ASIDE.search(entry.name)) for entry in entries)
