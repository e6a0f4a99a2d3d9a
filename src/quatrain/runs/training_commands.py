"""The commands that made a run what it is, to be given again: the first one, and those that trained it on."""

import shlex
from typing import NamedTuple

from quatrain.core.errors import UserError
from quatrain.core.secrets import redact
from quatrain.runs.changes import Change, read_changes
from quatrain.runs.directory import RunDirectory
from quatrain.runs.recorded import read_provenance

MANY = ("-m", "--multirun")
LENGTHS = {"trainer.max_epochs": "--max-epochs", "trainer.max_steps": "--max-steps"}


class Commands(NamedTuple):
    """``lines``: in a shell's words, secrets hidden. ``remarks``: sentences about them."""

    lines: list[str]
    remarks: list[str]


def training_commands(run: RunDirectory) -> Commands:
    """What ``run`` was trained with, from its overrides, its provenance and its changes.

    A job of a sweep, and a run that another command than ``quatrain train`` started, get the ``quatrain train`` that
    means the same; of a sweep a remark tells the command that was given. An interruption is none of the commands,
    as a run that goes on gives what an unbroken one would have given. Parts that cannot be read are left out,
    and so is ``run.dir``, for each run has a folder of its own.
    """
    given, allowed = _started_with(run)
    trained_by = given[:2] == ["quatrain", "train"] and not set(MANY) & set(given)
    own = given if trained_by else ["quatrain", "train", *allowed, *_overrides(run)]
    own = [word for word in own if not word.startswith("run.dir=")]
    changes = _changes(run)
    lines = [shlex.join(own), *(shlex.join(longer) for change in changes if (longer := _longer(run, change)))]
    remarks = []
    if set(MANY) & set(given):
        remarks.append(f"The run is one of those that this command started: {shlex.join(given)}")
    if len(lines) > 1:
        remarks.append(f"{run.path.name} stands for the folder of the run.")
    for change in changes:
        if cut := {key: value for key, value in change.set.items() if key not in LENGTHS}:
            settings = " ".join(f"{key}={value}" for key, value in cut.items())
            remarks.append(f"Memory did not suffice, and the run went on with {settings}: the same effective batch.")
    return Commands(lines, remarks)


def _started_with(run: RunDirectory) -> tuple[list[str], list[str]]:
    """The command that started the run, and the words that allow what it needed; nothing where nobody noted it."""
    try:
        origin = read_provenance(run)
    except UserError:
        return [], []
    command, prefixes = origin.get("command"), origin.get("allowed_prefixes")
    allowed = [word for prefix in _texts(prefixes) for word in ("--allow", prefix.rstrip("."))]
    return redact(_texts(command)), allowed


def _texts(found: object) -> list[str]:
    return found if isinstance(found, list) and all(isinstance(one, str) for one in found) else []


def _overrides(run: RunDirectory) -> list[str]:
    try:
        return redact(run.read_overrides())
    except UserError:
        return []


def _changes(run: RunDirectory) -> list[Change]:
    try:
        return read_changes(run)
    except UserError:
        return []


def _longer(run: RunDirectory, change: Change) -> list[str]:
    """The words of ``quatrain resume`` that made the run longer; none for a change of anything else."""
    lengths = [
        word for key, flag in LENGTHS.items() if (end := change.set.get(key, -1)) >= 0 for word in (flag, f"{end}")
    ]
    if not lengths:
        return []
    return ["quatrain", "resume", run.path.name, *lengths, *(["--reschedule"] if change.reschedule else [])]
