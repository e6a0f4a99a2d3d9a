"""Completion in a shell: ``eval "$(quatrain -sc install=bash)"``, zsh or fish.

The shell asks ``quatrain -sc query=SHELL`` with COMP_LINE, and COMP_POINT where the cursor is not at its end. The
answer is read from files and sources alone, so it is there in a fraction of a second: neither Hydra nor torch is
imported.
"""

import os
from collections.abc import Iterable, Mapping

from quatrain.config.completion_scripts import SCRIPTS, UNINSTALL
from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line

ASKED = ("install", "uninstall", "query")


def complete(arguments: list[str], commands: Mapping[str, str]) -> int:
    """Print the script that a shell reads, or answer its question; ``commands`` with what each is.

    Raises:
        UserError: it is neither of these, or of no shell that is known.
    """
    what, _, shell = arguments[0].partition("=") if len(arguments) == 1 else ("", "", "")
    if what not in ASKED or shell not in SCRIPTS:
        raise UserError("-sc takes install=SHELL, uninstall=SHELL or query=SHELL, with bash, zsh or fish for SHELL.")
    if what != "query":
        print((SCRIPTS if what == "install" else UNINSTALL)[shell], end="")
        return 0
    from quatrain.config.completing import candidates

    line = os.environ.get("COMP_LINE", "")
    point = os.environ.get("COMP_POINT", "")
    words, word = words_before(line[: int(point)] if point.isdigit() else line)
    told = candidates(words, word, commands)
    print("".join(f"{answer}\n" for answer in _answers(told, shell)), end="")
    return 0


def words_before(line: str) -> tuple[list[str], str]:
    """The words of ``line`` between the program and the cursor, and the one that is being written; quotes taken off."""
    words: list[str] = []
    word, quote, escaped, begun = "", "", False, False
    for character in line:
        if escaped:
            word, escaped = word + character, False
        elif character == "\\" and quote != "'":
            escaped = begun = True
        elif quote:
            word, quote = (word, "") if character == quote else (word + character, quote)
        elif character in "\"'":
            quote, begun = character, True
        elif character.isspace():
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    return words[1:], word


def _answers(told: Iterable[tuple[str, str]], shell: str) -> Iterable[str]:
    """A line for each candidate; for zsh and fish with what it is behind a tab. What no line can hold is left out."""
    for value, says in told:
        if value.isprintable():
            yield value if shell == "bash" or not says else f"{value}\t{one_line(says)}"
