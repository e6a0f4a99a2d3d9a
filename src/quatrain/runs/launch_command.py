"""The command that a person gave, handed on to the workers that it starts."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from quatrain.core.build import ALLOW_VARIABLE
from quatrain.core.secrets import redact

COMMAND_VARIABLE = "QUATRAIN_COMMAND"
"""Holds the command line as a JSON list, secrets hidden, for every process that the command starts."""


@contextmanager
def handed_on(words: Sequence[str]) -> Iterator[None]:
    """Within the block, processes that this one starts know that ``quatrain`` was given ``words``."""
    before = os.environ.get(COMMAND_VARIABLE)
    os.environ[COMMAND_VARIABLE] = json.dumps(["quatrain", *redact(words)])
    try:
        yield
    finally:
        if before is None:
            del os.environ[COMMAND_VARIABLE]
        else:
            os.environ[COMMAND_VARIABLE] = before


def launch_command(overrides: Sequence[str]) -> list[str]:
    """Return the command that started this process, secrets hidden.

    Where none was given (a call from Python, torchrun), it is ``quatrain train`` with ``overrides`` and what was
    allowed, which means the same.
    """
    told = os.environ.get(COMMAND_VARIABLE)
    if told:
        return [str(word) for word in json.loads(told)]
    allowed = [entry for entry in os.environ.get(ALLOW_VARIABLE, "").split(",") if entry]
    return ["quatrain", "train", *(word for entry in allowed for word in ("--allow", entry)), *redact(overrides)]
