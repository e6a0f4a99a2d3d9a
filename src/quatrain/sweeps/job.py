"""A job of a sweep, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from quatrain.runs.directory import RunDirectory, State
from quatrain.runs.naming import identity_hash


@dataclass(frozen=True)
class Job:
    """One composed and checked experiment of a sweep.

    ``number`` is its place in it, and ``apart`` the overrides that set it apart from the others, for the eye.
    """

    number: int
    config: Mapping[str, Any]
    overrides: Sequence[str]
    apart: Sequence[str] = ()

    @cached_property
    def identity(self) -> str:
        """What makes two jobs the same (`quatrain.runs.naming.identity_hash`)."""
        return identity_hash(self.config)


@dataclass(frozen=True)
class Ended:
    """What came of a job.

    ``status`` is done, pruned, failed or interrupted; ``why`` is the sentence of the latter two. ``skipped`` says that
    it was done before, or by another sweep or an equal job. ``run`` is None where no folder could be made.
    """

    job: Job
    status: State
    run: RunDirectory | None = None
    why: str | None = None
    seconds: float = 0.0
    skipped: bool = False

    @property
    def result(self) -> dict[str, Any] | None:
        """What ``result.json`` says; None where there is none."""
        return self.run.read_result() if self.run else None


class Source(Protocol):
    """Where the jobs of a sweep come from, one by one: a list, or a search that learns from those that ended."""

    total: int
    """How many there will be."""

    def next(self) -> Job | None:
        """The next job; None when there are no more. Called in one thread, whenever there is room for one more."""
        ...

    def ended(self, ended: Ended) -> None:
        """Hear of a job's end. Called in the same thread, once for each job, also for one that was skipped."""
        ...
