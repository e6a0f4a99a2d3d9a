"""Completion in a shell: ``eval "$(quatrain -sc install=bash)"``."""

import os
from collections.abc import Iterable

from quatrain.core.errors import UserError


def complete(arguments: list[str], commands: Iterable[str]) -> int:
    """Install or answer the shell's question; Hydra knows overrides, and we the ``commands`` before them."""
    if len(arguments) != 1 or arguments[0].partition("=")[0] not in ("install", "uninstall", "query"):
        raise UserError("-sc takes install=SHELL, uninstall=SHELL or query=SHELL, with bash, zsh or fish for SHELL.")
    if arguments[0].startswith("query="):
        program, _, rest = os.environ.get("COMP_LINE", "").lstrip().partition(" ")
        command, space, rest = rest.lstrip().partition(" ")
        if not space:  # still at the command's own name
            print(" ".join(name for name in commands if name.startswith(command)))
            return 0
        os.environ["COMP_LINE"] = f"{program} {rest}"
    from quatrain.config.command_line import through_hydra

    through_hydra("quatrain", ["-sc", *arguments])
    return 0
