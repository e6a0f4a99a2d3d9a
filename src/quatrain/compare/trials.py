"""The trials of a search as its study has them, for a reader: nothing is written, and nothing waits for a writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from quatrain.compare.study_notes import FOLDER, NAME, REFUSED, SAME_AS, STORAGES, WHY
from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line

State = Literal["complete", "pruned", "failed", "running", "waiting", "refused"]
STATES: dict[str, State] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
LARGEST_STUDY = 256 * 10**6
"""Bytes; a trial with twenty validations takes some 5,000."""


@dataclass(frozen=True)
class Trial:
    """One trial. ``value`` is the score of one that is complete, ``steps`` its scores on the way, by step.

    ``why`` says why it failed or was refused; ``same_as`` is the number of the trial whose result it shares.
    """

    number: int
    state: State
    value: float | None
    params: Mapping[str, Any]
    steps: Mapping[int, float]
    folder: str | None
    why: str | None
    same_as: int | None


@dataclass(frozen=True)
class Study:
    """A search: its trials by number, and which scores are good; ``monitor`` is None where only the data tell it."""

    trials: tuple[Trial, ...]
    smaller_is_better: bool
    monitor: str | None


def study_in(folder: Path) -> Path | None:
    """The file of the study in ``folder``; None where there was no search."""
    return next((path for name in STORAGES.values() if (path := folder / name).is_file()), None)


def read_study(path: Path) -> Study:
    """Read the study at ``path``, as far as it is written.

    Raises:
        UserError: it cannot be read, or Optuna is not installed.
    """
    if find_spec("optuna") is None:
        raise UserError(f"{path} is a search's study, which Optuna reads; pip install 'quatrain[optuna]'.")
    if (size := path.stat().st_size) > LARGEST_STUDY:
        raise UserError(f"{path} has {size:,} bytes, and a study is read up to {LARGEST_STUDY:,}.")
    try:
        return _read(path)
    except Exception as error:  # json's, the database's, Optuna's, over a damaged file or one of others
        what = one_line(" ".join(str(error).split()) or type(error).__name__)
        raise UserError(f"{path} cannot be read as a search's study ({what:.200}).") from error


def _read(path: Path) -> Study:
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name=NAME, storage=_storage(path))
        trials = tuple(_trial(one) for one in study.get_trials(deepcopy=False))
        monitor = (study.user_attrs.get("objective") or [None])[0]
        return Study(trials, study.direction.name == "MINIMIZE", monitor if isinstance(monitor, str) else None)
    finally:
        optuna.logging.set_verbosity(level)


def _storage(path: Path) -> Any:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if path.suffix == ".journal":
        return JournalStorage(JournalFileBackend(str(path)))
    return RDBStorage(f"sqlite:///file:{path.absolute()}?mode=ro&uri=true", skip_table_creation=True)


def _trial(one: Any) -> Trial:
    notes = one.user_attrs
    value = one.value if one.state.name == "COMPLETE" else None
    return Trial(
        number=one.number,
        state="refused" if REFUSED in notes else STATES[one.state.name],
        value=None if value is None else float(value),
        params=dict(one.params),
        steps={int(step): float(score) for step, score in sorted(one.intermediate_values.items())},
        folder=_text(notes.get(FOLDER)),
        why=_text(notes.get(REFUSED) or notes.get(WHY)),
        same_as=notes.get(SAME_AS) if isinstance(notes.get(SAME_AS), int) else None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
