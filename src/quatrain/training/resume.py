"""What a run that goes on takes from its checkpoint before anything is built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.training.checkpoint_files import Saved, newest_whole, read
from quatrain.training.checkpoints import OWN

ENDLESS = 1000
"""The epochs of a Lightning training that names no end."""


@dataclass(frozen=True)
class Start:
    """Where a run goes on: ``saved`` after ``step`` optimizer steps and ``epochs`` whole epochs.

    ``length`` is [max_epochs, max_steps] as the checkpoint's training had them, ``schedule_steps`` the steps that its
    schedule was made for, ``best_step`` the step of the best checkpoint so far.
    """

    saved: Saved
    step: int
    epochs: int
    length: list[int]
    schedule_steps: int | None
    best_step: int | None


def find_start(folder: Path, tell: Callable[[str], None]) -> Start | None:
    """The newest whole checkpoint in ``folder``; None without one. ``tell`` hears of those that are not whole.

    Raises:
        UserError: the checkpoint was not written by a run.
    """
    saved = newest_whole(folder, tell)
    if saved is None:
        return None
    content = read(saved.path, mapped=True)
    try:
        own = content[OWN]
        return Start(
            saved=saved,
            step=int(content["global_step"]),
            epochs=int(own["epochs"]),
            length=[int(end) for end in own["length"]],
            schedule_steps=own["schedule_steps"],
            best_step=own["best_step"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{saved.path} was not written by a run of quatrain; delete the file.") from error


def length_of(trainer: Mapping[str, Any]) -> list[int]:
    """[max_epochs, max_steps] as Lightning's Trainer has them with these arguments; -1 is no bound."""
    if trainer["fast_dev_run"]:
        return [1, int(trainer["fast_dev_run"])]
    if trainer["max_epochs"] is None and trainer["max_steps"] == -1 and trainer["max_time"] is None:
        return [ENDLESS, -1]
    return [-1 if trainer[name] is None else trainer[name] for name in ("max_epochs", "max_steps")]


def refuse_no_more(start: Start, length: list[int]) -> None:
    """Raise a `UserError` where a new ``length`` leaves nothing to train."""
    for name, end, done in (("epochs", length[0], start.epochs), ("steps", length[1], start.step)):
        if 0 <= end <= done:
            raise UserError(f"--max-{name} {end} trains nothing more, for {done} {name} are done; name more than that.")


def refuse_another_corpus(started_with: Mapping[str, str] | None, now: Mapping[str, str]) -> None:
    """Raise a `UserError` where the data or the tokenizer is not what the run was started with."""
    if started_with is None:
        raise UserError(
            "This run's provenance.json is gone, so nobody can tell whether its corpus has changed; put the file"
            " back, or start a new run with quatrain train."
        )
    mistakes = [
        f"The {name} of this run has changed since it was started: its fingerprint was {started_with[name]} and is"
        f" {now[name]}. Put the former {name} back, or start a new run with quatrain train."
        for name in now
        if name in started_with and started_with[name] != now[name]
    ]
    if mistakes:
        raise UserError(mistakes)
