"""Who runs in a row: a command for each round, and how its numbers are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measures import Run
from bench.processes import Done

Command = Callable[[int, Path], list[str]]
"""From the seed and an empty folder to a command that puts what it writes into the folder."""

Read = Callable[[Done, Path], list[Run]]
"""From a command that ended, and its folder, to its numbers; of several contenders where it runs more than its own."""


@dataclass(frozen=True)
class Contender:
    """Ours, or a peer."""

    name: str
    command: Command
    read: Read
    model: str | None = None
    """What of its folder is the trained model; None where no model is scored."""

    cwd: Path | None = None
    once: bool = False
    """Whether it runs in the first round only, because it takes many minutes or does not vary."""

    cold: bool = False
    """Whether each run begins without prepared data."""
