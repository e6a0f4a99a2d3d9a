"""What a command of a TARGET was asked: its model, its numbers and its texts."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    import argparse

    from quatrain.inference.loading import Loaded
    from quatrain.inference.target import Target, Task


@contextmanager
def gathered(wrong: list[str]) -> Iterator[None]:
    """The sentences of a UserError in the block go to ``wrong``, to be told with others."""
    try:
        yield
    except UserError as error:
        wrong += error.sentences


@contextmanager
def in_flags(*names: str) -> Iterator[None]:
    """Sentences that begin with one of the arguments ``names`` begin with its flag."""
    try:
        yield
    except UserError as error:
        raise type(error)([_in_flags(sentence, names) for sentence in error.sentences]) from error


def _in_flags(sentence: str, names: Sequence[str]) -> str:
    from quatrain.commands.arguments import flag

    name = next((name for name in names if sentence.startswith(f"{name}=")), "")
    return flag(name) + sentence[len(name) :] if name else sentence


def given(asked: "argparse.Namespace", names: Sequence[str]) -> dict[str, Any]:
    """Those of ``names`` that were given, so that what was not keeps the default of what is called."""
    return {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}


def load_target(asked: "argparse.Namespace", command: str, wrong: Sequence[str] = ()) -> "Loaded":
    """`find_asked` and `load_found` in one."""
    return load_found(asked, find_asked(asked, command, wrong))


def find_asked(asked: "argparse.Namespace", command: str, wrong: Sequence[str] = ()) -> "Target":
    """Find TARGET for ``command``; what is ``wrong`` with the other arguments is told with what is wrong with it.

    Raises:
        UserError: anything is wrong; before the hub is asked, where it is not the TARGET.
        NotNow: the hub does not give the model.
    """
    from quatrain.corpora.hub import is_hub_name
    from quatrain.inference.target import find_target

    if wrong and is_hub_name(asked.target) and not Path(asked.target).expanduser().exists():
        raise UserError(wrong)
    try:
        target = find_target(asked.target, command)
    except UserError as error:
        raise type(error)([*wrong, *error.sentences]) from error
    if wrong:
        raise UserError(wrong)
    return target


def load_found(asked: "argparse.Namespace", target: "Target", task: "Task | None" = None) -> "Loaded":
    """Load ``target`` for ``task``, its own where that is None.

    Device and precision are told on standard error where they were left to us, each with its reason.

    Raises:
        UserError: the device is absent, or the model cannot be used.
        NotNow: the hub does not give the model.
    """
    from quatrain.inference.loading import load

    loaded = load(target, task=task, precision=asked.precision, device=asked.device)
    chosen = [(name, choice) for name, choice in loaded.choices.items() if getattr(asked, name) == "auto"]
    if chosen:
        tell(", ".join(f"{name} {choice.value} ({choice.reason})" for name, choice in chosen))
    return loaded


def tell(sentence: str) -> None:
    """Say something that is no result: on standard error."""
    print(one_line(sentence), file=sys.stderr, flush=True)


def argument_text(word: str, what: str) -> str:
    """``word`` of the command line, called ``what``, as text.

    Raises:
        UserError: its bytes are no UTF-8.
    """
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{what} is no UTF-8 (at character {error.start + 1}); write it in UTF-8.") from error
    return word
