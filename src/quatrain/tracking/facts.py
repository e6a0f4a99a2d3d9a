"""What a tracker is told of the run that it shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, int | float]


@dataclass(frozen=True)
class RunFacts:
    """A run for a tracker's eyes; nothing in it is a secret.

    ``experiment``, ``tag`` (what was overridden) and ``labels`` (task, data, model) are for people. ``sweep`` is the
    sweep's name, None for a single run. ``rows`` are those of ``metrics.csv`` where the run goes on after
    ``start_step``; that is None for a run that begins.
    """

    directory: Path
    experiment: str
    tag: str
    labels: Sequence[str]
    config: Mapping[str, Any]
    sweep: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    start_step: int | None = None
    rows: Sequence[Row] = ()

    @property
    def group(self) -> str:
        """The experiment, and of a sweep's job its sweep too."""
        return f"{self.experiment}/{self.sweep}" if self.sweep else self.experiment


def flat(config: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of ``config`` under its dotted key, as the command line has it; a list is one leaf."""
    for name, value in config.items():
        place = f"{key}.{name}" if key else str(name)
        if isinstance(value, Mapping) and value:
            yield from flat(value, place)
        else:
            yield place, value
