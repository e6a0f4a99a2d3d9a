"""Whether the settings of a search fit: conf/sweep/optuna.yaml has them, and the command line may change them."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from quatrain.compare.study_notes import STORAGES
from quatrain.config.shape import written
from quatrain.config.spelling import nearest
from quatrain.sweeps.search_settings import NAMES, PRUNERS, SAMPLERS, SearchSettings, is_search
from quatrain.sweeps.space import Parameter, grid_size

SWEEPER = "quatrain_optuna"
"""The option of hydra/sweeper that searches; it is chosen wherever ``sweep.trials`` is there."""

WORDS = {"sampler": SAMPLERS, "pruner": PRUNERS, "storage": tuple(STORAGES)}
LEAST = {"trials": 1, "startup_trials": 0, "pruner_startup": 0, "pruner_warmup": 0, "reduction": 2, "seed": 0}
LARGEST_SEED = 2**32 - 1
LARGEST_GRID = 100_000


def check_search(sweep: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each setting of a search that is missing or does not fit; none where it is no search."""
    if not is_search(sweep):
        return
    for name in NAMES:
        if name not in sweep:
            yield f"sweep.{name} is missing; choose sweep=optuna, whose file has it."
    for name, allowed in WORDS.items():
        value = sweep.get(name, allowed[0])
        if value not in allowed:
            hint = nearest(str(value), allowed) or "."
            yield f"sweep.{name}={written(value)} is unknown; allowed is {', '.join(allowed)}{hint}"
    for name, least in LEAST.items():
        value = sweep.get(name, least)
        if type(value) is not int or value < least or (name == "seed" and value > LARGEST_SEED):
            most = f" to {LARGEST_SEED}" if name == "seed" else " or more"
            yield f"sweep.{name}={written(value)} does not fit; allowed is a whole number, {least}{most}."
    trial = sweep.get("trial")
    if trial is not None and (type(trial) is not int or trial < 0):
        yield f"sweep.trial={written(trial)} does not fit; the search sets it."


def unknown_outside(name: str) -> str | None:
    """What to do about a setting of a search where there is none."""
    return "belongs to a search; choose one with sweep=optuna" if name in NAMES else None


def needed_packages(settings: SearchSettings | None = None) -> Iterator[str]:
    """Say which package of the extra ``optuna`` is missing."""
    names = ["optuna", *(["cmaes"] if settings and settings.sampler == "cmaes" else [])]
    for name in names:
        if find_spec(name) is None:
            yield f"A search needs {name}, which is not installed; run pip install 'quatrain[optuna]'."
            return


def check_sampler(settings: SearchSettings, space: list[Parameter]) -> Iterator[str]:
    """Say where the sampler cannot search such a space."""
    if settings.sampler == "grid":
        endless = [one.key for one in space if one.count() is None]
        size = grid_size(space)
        if endless:
            yield (
                f"sweep.sampler=grid: {', '.join(endless)} has no list of values; write range(...) or choice(...), or"
                " take another sampler."
            )
        elif size is not None and size > LARGEST_GRID:
            yield f"sweep.sampler=grid: the grid has {size:,} points, and {LARGEST_GRID:,} at most are dealt out."
    if settings.sampler == "cmaes" and sum(one.is_number() and one.count() != 1 for one in space) < 2:
        yield "sweep.sampler=cmaes learns how two or more intervals or ranges go together; give them, or take tpe."
