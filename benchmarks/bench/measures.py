"""What is measured: numbers of runs, their names and units, and what several runs have in the middle."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Run = dict[str, Any]
"""One run of one contender: ``contender``, ``round``, and numbers by the names of `MEASURES`."""

OURS = "ours"


@dataclass(frozen=True)
class Measure:
    """A number that a run gives."""

    label: str
    shown: str
    """Its format."""

    more_is_better: bool = False
    as_share: bool = False
    """Whether two of them are compared as a part of a hundred, not as so many times."""

    def show(self, value: float) -> str:
        """The number as a table has it."""
        return f"{value:{self.shown}}"


MEASURES = {
    "tokens_per_second": Measure("tokens/s", ",.0f", more_is_better=True),
    "million_tokens_per_second": Measure("million tokens/s", ".2f", more_is_better=True),
    "predicted_per_second": Measure("rows/s predicted", ",.0f", more_is_better=True),
    "predicted_per_second_float32": Measure("rows/s predicted in float32", ",.0f", more_is_better=True),
    "embedded_per_second": Measure("rows/s embedded", ",.0f", more_is_better=True),
    "embedded_per_second_float32": Measure("rows/s embedded in float32", ",.0f", more_is_better=True),
    "seconds": Measure("seconds", ",.2f"),
    "times": Measure("times as fast", ".2f", more_is_better=True),
    "help_seconds": Measure("seconds for --help", ".2f"),
    "config_seconds": Measure("seconds for train --cfg job", ".2f"),
    "error_seconds": Measure("seconds to an error in an override", ".2f"),
    "first_step": Measure("first step, times a bare script's", ".2f"),
    "overhead_seconds": Measure("seconds beyond its training", ".2f"),
    "mfu": Measure("MFU", ".1%", more_is_better=True),
    "peak_mb": Measure("peak memory, MB", ",.0f", as_share=True),
    "gpu_peak_mb": Measure("peak GPU memory, MB", ",.0f", as_share=True),
    "loss": Measure("held-out loss", ".4f"),
    "f1": Measure("F1", ".4f", more_is_better=True),
    "accuracy": Measure("accuracy", ".4f", more_is_better=True),
    "identical": Measure("comparisons in which all ids agree", ".0%", more_is_better=True),
}


@dataclass(frozen=True)
class Spread:
    """The same number of several runs."""

    median: float
    least: float
    most: float
    count: int

    def show(self, measure: Measure) -> str:
        """The median, and the range where there were several."""
        middle = measure.show(self.median)
        return middle if self.count == 1 else f"{middle} ({measure.show(self.least)} to {measure.show(self.most)})"


def spread(values: Sequence[float]) -> Spread | None:
    """Sum up ``values``; None for none."""
    return Spread(statistics.median(values), min(values), max(values), len(values)) if values else None


def numbers(runs: Sequence[Run], contender: str, measure: str) -> dict[int, float]:
    """What the runs of a contender gave, by round."""
    return {
        run["round"]: run[measure] for run in runs if run["contender"] == contender and run.get(measure) is not None
    }
