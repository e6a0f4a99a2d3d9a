"""Optuna's samplers and pruners by the settings of a search."""

import hashlib
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.space import Parameter

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

SETTLED = (
    ".*multivariate.* is an experimental feature.*",  # of Optuna 4; in 5 it is what tpe does by itself
    ".*constant_liar.* is an experimental feature.*",  # as the line above
    ".*consider_pruned_trials.* is an experimental feature.*",  # without it cmaes learns nothing from pruned trials
)
"""Optuna's warnings about what we chose on purpose."""


def make_sampler(settings: SearchSettings, space: Sequence[Parameter], *draw: int | str) -> "BaseSampler":
    """The sampler for one ``draw``, such as a trial's number, whose seed is made of the search's and of that.

    A sampler of its own for each makes what is drawn depend on the trials before alone, not on what this process drew
    since it began: a search that was killed goes on as it would have.
    """
    from optuna import samplers

    _quiet()
    seed = _seed(settings.seed, *draw)
    if settings.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if settings.sampler == "grid":  # one order of the grid for all trials
        return samplers.GridSampler({one.key: one.grid() for one in space}, seed=settings.seed)
    if settings.sampler == "cmaes":
        return samplers.CmaEsSampler(
            n_startup_trials=settings.startup_trials,
            warn_independent_sampling=False,  # the choices among the parameters are drawn at random
            consider_pruned_trials=settings.pruner == "median",  # Hyperband's ended at unlike lengths
            seed=seed,
        )
    return samplers.TPESampler(
        n_startup_trials=settings.startup_trials,
        multivariate=True,
        constant_liar=True,  # those under way count as poor, so that jobs side by side try unlike things
        seed=seed,
    )


def make_pruner(settings: SearchSettings) -> "BasePruner":
    """The pruner; its steps are the validations of a run, counted from 1."""
    from optuna import pruners

    first = settings.pruner_warmup + 1
    if settings.pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=first, reduction_factor=settings.reduction)
    if settings.pruner == "median":
        return pruners.MedianPruner(n_startup_trials=settings.pruner_startup, n_warmup_steps=first)
    return pruners.NopPruner()


def _seed(seed: int, *draw: int | str) -> int:
    text = "/".join(map(str, (seed, *draw)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _quiet() -> None:
    for message in SETTLED:
        warnings.filterwarnings("ignore", message=message)
