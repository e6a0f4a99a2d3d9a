"""A search's study: where it lies, how it is opened, and which search it is of."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quatrain.compare.study_notes import NAME, STORAGES
from quatrain.core.errors import UserError
from quatrain.sweeps.journal import journal_storage
from quatrain.sweeps.samplers import make_pruner
from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.space import Parameter

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

PATIENCE = 60
"""Seconds that a writer waits for another to leave the sqlite file."""

CHATTER = (
    "optuna.storages.journal._storage",  # a new study is what was asked for
    "optuna.storages._rdb.storage",  # as above
    "optuna.study.study",  # an existing study is what "the same command again" finds
)
"""Loggers of Optuna whose lines below a warning tell nothing that our own do not."""


@dataclass(frozen=True)
class Objective:
    """The score that is searched by, the best of each run; ``monitor`` is None where only the data can tell it."""

    monitor: str | None
    mode: Literal["min", "max"]


def study_file(folder: Path, settings: SearchSettings) -> Path:
    """Where the study of a sweep in ``folder`` lies."""
    return folder / STORAGES[settings.storage]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what Optuna raises over a study that it cannot read or write into a sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # json's, the database's, the system's: any, over a damaged file
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{path} cannot be used ({what:.200}); put a whole copy back, or name another sweep with sweep.name=NAME."
        ) from error


def open_study(folder: Path, settings: SearchSettings) -> "Study":
    """Load the study in ``folder``; its sampler is the random one, which needs no state.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    path = study_file(folder, settings)
    if not path.is_file():
        raise UserError(f"{path} is not there.")
    with readable(path):
        import optuna

        return optuna.load_study(
            study_name=NAME,
            storage=_storage(path),
            sampler=optuna.samplers.RandomSampler(),
            pruner=make_pruner(settings),
        )


def begin_study(
    folder: Path, settings: SearchSettings, space: Sequence[Parameter], base: Mapping[str, Any], objective: Objective
) -> "Study":
    """Load the study in ``folder``, or make it; the caller holds the search's lock.

    ``base`` is what the experiment is besides the searched keys.

    Raises:
        UserError: the study there is of another search, or cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = study_file(folder, settings)
    _refuse_two(folder, path)
    with readable(path):
        import optuna

        study = optuna.create_study(
            study_name=NAME,
            storage=_storage(path),
            sampler=optuna.samplers.RandomSampler(),
            pruner=make_pruner(settings),
            direction="minimize" if objective.mode == "min" else "maximize",
            load_if_exists=True,
        )
        attributes = study.user_attrs
        if "space" not in attributes:
            study.set_user_attr("space", {one.key: one.described() for one in space})
        if "base" not in attributes:
            study.set_user_attr("base", dict(base))
        if "objective" not in attributes:
            study.set_user_attr("objective", [objective.monitor, objective.mode])
        attributes = study.user_attrs
    _refuse_another(folder, attributes, space, base, objective)
    return study


def _storage(path: Path) -> "BaseStorage":
    for name in CHATTER:
        logging.getLogger(name).setLevel(logging.WARNING)
    if path.suffix == ".journal":
        return journal_storage(path)
    from optuna.storages import RDBStorage

    return RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": PATIENCE}})


def _refuse_two(folder: Path, path: Path) -> None:
    for kind, name in STORAGES.items():
        if (other := folder / name) != path and other.exists():
            raise UserError(f"{other} holds the trials of this search already; give sweep.storage={kind}.")


def _refuse_another(
    folder: Path,
    there: Mapping[str, Any],
    space: Sequence[Parameter],
    base: Mapping[str, Any],
    objective: Objective,
) -> None:
    """Trials of another search are no evidence for this one, and its results not comparable."""
    instead = "name a new sweep with sweep.name=NAME, or search as before"
    asked = {one.key: one.described() for one in space}
    if there["space"] != asked:
        unlike = sorted(key for key in {*there["space"], *asked} if there["space"].get(key) != asked.get(key))
        raise UserError(f"{folder} holds a search of another space ({', '.join(unlike)} differs); {instead}.")
    if unlike := list(_unlike(there["base"], json.loads(json.dumps(dict(base), default=str)))):
        shown = ", ".join(unlike[:5]) + (", ..." if len(unlike) > 5 else "")
        raise UserError(f"{folder} holds a search of another experiment ({shown}); {instead}.")
    if there["objective"] != [objective.monitor, objective.mode]:
        name, mode = there["objective"]
        raise UserError(
            f"{folder} holds a search for the {mode} of {name}, not the {objective.mode} of {objective.monitor};"
            f" {instead}."
        )


def _unlike(before: Any, now: Any, key: str = "") -> Iterator[str]:
    """The keys in which two plain configs differ, each with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*before, *now]):
            yield from _unlike(before.get(name), now.get(name), f"{key}.{name}" if key else str(name))
    elif before != now:
        yield f"{key} was {before} and is {now}"
