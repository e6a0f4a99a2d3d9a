"""The best job of a sweep so far, by the metric that chose each one's best checkpoint."""

from dataclasses import dataclass
from typing import NamedTuple

from quatrain.core.errors import UserError
from quatrain.runs.naming import readable_tag
from quatrain.sweeps.job import Ended


class Score(NamedTuple):
    """The best value of a job's monitored metric, and which is good."""

    metric: str
    value: float
    mode: str

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.4g}"

    def is_better_than(self, other: "Score") -> bool:
        """Whether it is the better of two of one metric."""
        return self.value < other.value if self.mode == "min" else self.value > other.value


@dataclass(frozen=True)
class Best:
    """The best score, and the job that has it."""

    score: Score
    ended: Ended

    def __str__(self) -> str:
        return f"{self.score} by {readable_tag(self.ended.job.apart or self.ended.job.overrides)}"

    @staticmethod
    def of(best: "Best | None", ended: Ended) -> "Best | None":
        """The better of ``best`` and the job that ``ended``; one with another metric than the first is passed over."""
        found = score(ended)
        if found is None or (best and found.metric != best.score.metric):
            return best
        return Best(found, ended) if best is None or found.is_better_than(best.score) else best


def score(ended: Ended) -> Score | None:
    """The score of a job that is done; None where it has none: it failed, was pruned, or had no validation.

    A result that cannot be read is none: it ends no sweep.
    """
    try:
        result = (ended.result if ended.status == "done" else None) or {}
    except UserError:
        return None
    metric, best = result.get("monitor"), result.get("best")
    if not isinstance(metric, str) or not isinstance(best, dict):
        return None
    value = best.get(metric)
    return Score(metric, float(value), str(result.get("mode"))) if isinstance(value, int | float) else None
