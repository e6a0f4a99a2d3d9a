"""What may stand at the cursor of a command line: commands, flags and their values, overrides, keys, runs."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from quatrain.config.command_flags import LISTED, Flags, flags_of
from quatrain.config.override_words import group_names, key_names, override_words
from quatrain.config.project import project_conf
from quatrain.config.run_paths import run_paths
from quatrain.core.errors import UserError

OVERRIDES = ("train", "plan", "look", "preprocess", "train-tokenizer", "explain", "list")
"""Commands that take overrides."""

RUNS = ("RUN", "TARGET", "FOLDER", "SWEEP")
"""What arguments are called that a run directory, or a folder of them, can stand for."""

SWEEPS = ("FOLDER", "SWEEP")
"""Of these, what the folder of a whole sweep can stand for too."""

Candidate = tuple[str, str]
"""A word, and what it is."""


def candidates(words: list[str], word: str, commands: Mapping[str, str]) -> list[Candidate]:
    """What ``word`` may become after ``words``; empty where the shell knows better, as with files."""
    if not words:
        return [(name, says) for name, says in commands.items() if name.startswith(word)]
    command, earlier = words[0], words[1:]
    if command not in commands:
        return []
    flags = flags_of(command)
    before = earlier[-1] if earlier else ""
    if before in flags.valued:
        return [(value, "") for value in _values(flags, before, word)]
    if word.startswith("-") and "=" in word:
        name, _, begun = word.partition("=")
        return [(f"{name}={value}", "") for value in _values(flags, name, begun)]
    if word.startswith("-"):
        return [(name, says) for name, says in flags.says.items() if name.startswith(word) and name not in earlier]
    if command in OVERRIDES:
        return _of_experiment(command, earlier, word)
    return _argument(flags, earlier, word)


def _values(flags: Flags, name: str, word: str) -> list[str]:
    """What the value ``word`` of the flag ``name`` may become; of a list, by what it lacks yet."""
    head, comma, begun = word.rpartition(",") if name in LISTED else ("", "", word)
    there = head.split(",")
    return [head + comma + one for one in flags.valued.get(name, ()) if one.startswith(begun) and one not in there]


def _of_experiment(command: str, earlier: list[str], word: str) -> list[Candidate]:
    folders = _config_folders(earlier)
    if command == "explain" and "=" not in word:
        return key_names(earlier, word, folders)
    if command == "list" and "=" not in word:
        return [(name, says) for name, says in group_names(folders).items() if name.startswith(word)]
    return override_words(earlier, word, folders)


def _argument(flags: Flags, earlier: list[str], word: str) -> list[Candidate]:
    """The argument at whose place the cursor is: a run, or whatever files the shell knows."""
    given, waiting = 0, False
    for one in earlier:
        if waiting or one in flags.valued:
            waiting = not waiting
        elif not one.startswith("-"):
            given += 1
    if not flags.arguments:
        return []
    place = flags.arguments[min(given, len(flags.arguments) - 1)]
    if given >= len(flags.arguments) and not flags.repeats:
        return []
    many = any(name in place for name in SWEEPS)
    return run_paths(word, sweeps=many) if any(name in place for name in RUNS) else []


def _config_folders(words: Iterable[str]) -> list[str]:
    """The users' own config folders: that which the command line names, else that of the project in this folder."""
    words = list(words)
    named = [word.partition("=")[2] for word in words if word.startswith("--config-dir=")]
    named += [after for word, after in pairwise(words) if word == "--config-dir"]
    if not named:
        with suppress(UserError):  # a command will say what is wrong with it
            named = [str(own)] if (own := project_conf(Path.cwd())) else []
    return [str(Path(folder).absolute()) for folder in named if Path(folder).is_dir()]
