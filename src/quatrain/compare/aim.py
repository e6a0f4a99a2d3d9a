"""By what runs are compared: a metric, which of its values are good, and the best or the last of each run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from quatrain.compare.results import Mode, Result
from quatrain.core.errors import UserError
from quatrain.tasks.metric_names import METRICS

MODES: dict[str, Mode] = {
    **dict.fromkeys(METRICS, "max"),
    **dict.fromkeys(("loss", "perplexity", "bits_per_character", "seconds"), "min"),
    "tokens_per_second": "max",
}
"""Which values are good of the metrics that our tasks log, by the last part of their names."""


@dataclass(frozen=True)
class Aim:
    """What is compared."""

    metric: str
    mode: Mode
    last: bool = False

    @property
    def smaller_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return self.mode == "min"

    def __str__(self) -> str:
        direction = "lower" if self.smaller_is_better else "higher"
        return f"{self.metric}, the {'last' if self.last else 'best'} value of each run; {direction} is better"


def choose_aim(results: Sequence[Result], metric: str | None, mode: Mode | None, *, last: bool = False) -> Aim:
    """Return what ``results`` are compared by: ``metric``, or where it is None the one that all of them watch.

    Raises:
        UserError: they watch different metrics, none has ``metric``, or nothing tells which of its values are good.
    """
    metric = metric or _watched(results)
    there = Counter(name for result in results for name in result.metrics())
    if metric not in there:
        near = get_close_matches(metric, there, n=1)
        hint = f" did you mean {near[0]}?" if near else ""
        raise UserError(f"--metric {metric}: no run has it;{hint} There are {', '.join(sorted(there))}.")
    return Aim(metric, mode or _mode(results, metric), last)


def _watched(results: Sequence[Result]) -> str:
    watched = Counter(result.monitor for result in results)
    if len(watched) == 1 and (only := next(iter(watched))) is not None:
        return only
    common = set.intersection(*(set(result.metrics()) for result in results))
    told = ", ".join(f"{name or 'none'} ({count})" for name, count in sorted(watched.items(), key=str))
    choice = f"--metric with one that all have: {', '.join(sorted(common))}" if common else "fewer folders"
    what = "no metric" if set(watched) == {None} else f"different metrics: {told}"
    raise UserError(f"The runs chose their best checkpoint by {what}; give {choice}.")


def _mode(results: Sequence[Result], metric: str) -> Mode:
    told = {result.mode for result in results if result.monitor == metric and result.mode}
    known = MODES.get(metric.rpartition("/")[2])
    if len(told) == 1:
        return told.pop()
    if told or known is None:
        why = "some runs minimize and some maximize it" if told else "nothing tells which of its values are good"
        raise UserError(f"--metric {metric}: {why}; add --mode min or --mode max.")
    return known
