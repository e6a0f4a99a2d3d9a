"""What was changed of a run after it was frozen: ``changes.yaml``, beside a config.yaml that stays as it is."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import yaml

from quatrain.core.atomic_files import write_whole
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.reading import read_yaml

MAY_CHANGE = {
    "trainer.max_epochs": int,
    "trainer.max_steps": int,
    "trainer.accumulate_grad_batches": int,
    "trainer.val_check_interval": int,
    "trainer.limit_train_batches": int,
    "trainer.limit_val_batches": int,
    "trainer.overfit_batches": int,
    "data.batch_size": int,
}
"""Keys that a change may set: how long the run trains, and how its effective batch is cut into micro-batches."""


@dataclass(frozen=True)
class Change:
    """One change. ``reschedule``: whether the learning rate follows the new length from then on."""

    why: str
    set: dict[str, int]
    reschedule: bool = False
    time: str = ""


def longer(why: str, *, max_epochs: int | None, max_steps: int | None, reschedule: bool) -> Change:
    """The change that trains on to ``max_epochs`` or ``max_steps``; a bound that is not named holds no longer."""
    bounds = {
        "trainer.max_epochs": -1 if max_epochs is None else max_epochs,
        "trainer.max_steps": -1 if max_steps is None else max_steps,
    }
    return Change(why, bounds, reschedule)


def read_changes(run: RunDirectory) -> list[Change]:
    """The changes of a run, the first one first.

    Raises:
        UserError: the file holds anything else than changes of `MAY_CHANGE`.
    """
    if not run.changes.is_file():
        return []
    try:
        return [_change(entry) for entry in read_yaml(run.changes)]
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{run.changes} does not hold changes of a run ({error}); it may set {', '.join(MAY_CHANGE)}."
            " Mend or delete it."
        ) from error


def write_changes(run: RunDirectory, changes: Sequence[Change]) -> None:
    """Replace the changes of a run; none of them leaves no file.

    Raises:
        NotNow: the file cannot be written.
    """
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    if changes:
        entries = [asdict(change) | {"time": change.time or now} for change in changes]
        write_whole(run.changes, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
    else:
        run.changes.unlink(missing_ok=True)


def changed(config: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """``config`` with all of ``changes`` in it; the given one is not touched."""
    new = deepcopy(dict(config))
    for change in changes:
        for key, value in change.set.items():
            group, _, name = key.partition(".")
            new[group][name] = value
    return new


def reschedules(changes: Sequence[Change]) -> bool:
    """Whether the last change of the length stretches the schedule to it."""
    lengths = [change for change in changes if "trainer.max_epochs" in change.set or "trainer.max_steps" in change.set]
    return bool(lengths) and lengths[-1].reschedule


def _change(entry: Any) -> Change:
    if not isinstance(entry, dict) or set(entry) != {"why", "set", "reschedule", "time"}:
        raise ValueError("an entry has why, set, reschedule and time")
    for key, value in entry["set"].items():
        if key not in MAY_CHANGE or isinstance(value, bool) or not isinstance(value, MAY_CHANGE[key]):
            raise ValueError(f"{key}={value} may not be set here")
    if not isinstance(entry["reschedule"], bool):
        raise ValueError("reschedule is true or false")
    return Change(**entry)
