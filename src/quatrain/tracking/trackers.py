"""The trackers among a trainer's loggers, all at once."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from quatrain.tracking.facts import Row, RunFacts
from quatrain.tracking.tracker import Tracker


def trackers(loggers: Iterable[Any]) -> list[Tracker]:
    """Those of ``loggers`` that are ours."""
    return [logger for logger in loggers if isinstance(logger, Tracker)]


def log_row(loggers: Iterable[Any], row: Row) -> None:
    """Hand a row of ``metrics.csv`` to every logger; those of others get validation scores from the task itself."""
    training = {name: value for name, value in row.items() if name.startswith("train/")}
    for logger in loggers:
        if isinstance(logger, Tracker):
            logger.log_row(row)
        elif training:
            logger.log_metrics({**training, "epoch": row["epoch"]}, step=row["step"])


def begin(loggers: Iterable[Any], facts: RunFacts, tell: Callable[[str], None]) -> None:
    """Begin to show a run; call it on rank 0 alone."""
    for tracker in trackers(loggers):
        tracker.begin(facts, tell)


def conclude(loggers: Iterable[Any], result: Mapping[str, Any], export: Path) -> None:
    """Show what a run came to."""
    for tracker in trackers(loggers):
        tracker.conclude(result, export)


def finish(loggers: Iterable[Any], code: int, status: str, why: str | None) -> None:
    """Show how a run ended: its exit code, its status and the sentence of a failure."""
    for tracker in trackers(loggers):
        tracker.finish(code, status, why)
