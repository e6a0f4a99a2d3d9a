"""What a search is asked to do: the settings that conf/sweep/optuna.yaml adds to the group ``sweep``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

SAMPLERS = ("tpe", "random", "grid", "cmaes")
PRUNERS = ("median", "hyperband", "none")


@dataclass(frozen=True)
class SearchSettings:
    """The search's part of a config's group ``sweep``.

    Args:
        trials: how many complete or pruned trials there are in the end.
        sampler: one of `SAMPLERS`.
        startup_trials: trials at random before tpe and cmaes learn from them.
        pruner: one of `PRUNERS`.
        pruner_startup: complete trials before the median pruner ends any.
        pruner_warmup: validations of a trial at which it is not yet ended.
        reduction: Hyperband lets one in so many go on.
        storage: a name in `quatrain.compare.study_notes.STORAGES`.
        seed: that of the search; trial n draws with a seed made of it and n.
        trial: of a job, its number in the study; None: no job of a search.
    """

    trials: int
    sampler: str
    startup_trials: int
    pruner: str
    pruner_startup: int
    pruner_warmup: int
    reduction: int
    storage: str
    seed: int
    trial: int | None


NAMES = tuple(one.name for one in fields(SearchSettings))


def is_search(sweep: Mapping[str, Any]) -> bool:
    """Whether a config's group ``sweep`` asks for a search."""
    return "trials" in sweep


def search_settings(sweep: Mapping[str, Any]) -> SearchSettings:
    """The settings in a checked config's group ``sweep``."""
    return SearchSettings(**{name: sweep[name] for name in NAMES})
