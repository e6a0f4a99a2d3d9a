"""Searches whose jobs cost nothing: a config of two numbers, and run directories that hold a score and no training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.search import Search
from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.space import Parameter
from quatrain.sweeps.study import Objective

SETTINGS: dict[str, Any] = {
    "trials": 8,
    "sampler": "tpe",
    "startup_trials": 3,
    "pruner": "median",
    "pruner_startup": 2,
    "pruner_warmup": 0,
    "reduction": 3,
    "storage": "journal",
    "seed": 1,
    "trial": None,
}


def space_of_two() -> list[Parameter]:
    """A learning rate and a choice."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    rate = Parameter("optimizer.lr", FloatDistribution(1e-5, 1e-2, log=True))
    return [rate, Parameter("schedule", CategoricalDistribution(["linear", "cosine"]), ("linear", "cosine"))]


def compose(overrides: list[str]) -> dict[str, Any]:
    """A config that holds its overrides; a batch of 0 is refused."""
    given = dict(text.split("=", 1) for text in overrides)
    if given.get("data.batch_size") == "0":
        raise UserError("data.batch_size=0 is too small.")
    sweep = {**SETTINGS, "trial": int(given.pop("sweep.trial"))}
    return {"given": given, "sweep": sweep}


@pytest.fixture
def make_search(tmp_path: Path) -> Callable[..., Search]:
    """A search in the test's folder; settings by keyword."""

    def make(
        *, space: list[Parameter] | None = None, base: Any = None, folder: str = "sweep", **settings: Any
    ) -> Search:
        return Search(
            folder=tmp_path / folder,
            settings=SearchSettings(**{**SETTINGS, **settings}),
            space=space_of_two() if space is None else space,
            fixed=["name=tiny"],
            base=base or {"name": "tiny"},
            objective=Objective("val/loss", "min"),
            compose=compose,
            tell=lambda line: None,
        )

    return make


def score_of(job: Job) -> float:
    """What a job comes to: best near 1e-3, and better with a cosine."""
    import math

    given = job.config["given"]
    return abs(math.log10(float(given["optimizer.lr"])) + 3) + (0.1 if given.get("schedule") == "linear" else 0.0)


class Jobs:
    """Runs the jobs of a search, one after the other, without training."""

    @staticmethod
    def end(search: Search, job: Job, status: Any = "done", value: float | None = None) -> Ended:
        """Leave what a run of ``job`` would, its last score worse than its best, and tell the search how it ended."""
        folder = search.folder / f"job-{job.identity}"
        run = RunDirectory(folder) if folder.exists() else RunDirectory.create(folder, job.config, job.overrides)
        best = {"step": 2, "monitor": "val/loss", "val/loss": score_of(job) if value is None else value}
        run.write_result({"metrics": {"val/loss": 9.0}, "best": best})
        why = "It broke." if status == "failed" else None
        run.set_status(status, why)
        ended = Ended(job, status, run, why)
        search.ended(ended)
        return ended

    @classmethod
    def drive(cls, search: Search, *, most: int | None = None) -> list[Job]:
        """Run jobs to their ends, ``most`` of them; return them."""
        ran: list[Job] = []
        while (most is None or len(ran) < most) and (job := search.next()) is not None:
            ran.append(job)
            cls.end(search, job)
        return ran


@pytest.fixture
def jobs() -> type[Jobs]:
    """How the jobs of a search are run here."""
    return Jobs


@pytest.fixture
def space() -> list[Parameter]:
    """A learning rate and a choice, for tests that change it."""
    return space_of_two()


@pytest.fixture
def orphan(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called on, whoever asked for a trial before is gone."""

    def orphaned() -> None:
        monkeypatch.setattr("quatrain.sweeps.trials.is_alive", lambda pid, start: False)

    return orphaned
