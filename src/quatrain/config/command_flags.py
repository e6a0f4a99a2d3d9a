"""What a command takes, as its own --help tells it, so that completion never knows less or more than that."""

import re
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from typing import NamedTuple, get_args

from quatrain.config.flags import FLAGS
from quatrain.runs.directory import State

HYDRAS = ("train", "plan", "look", "preprocess", "train-tokenizer")
"""Commands whose --help is Hydra's, or none of argparse's."""

SAYS = {
    "--help": "what the command takes",
    "--cfg": "print the composed config and stop: job, hydra or all",
    "--resolve": "with --cfg: what is taken from other keys, too",
    "--package": "with --cfg: one part of the config",
    "--multirun": "one job for each combination of the values",
    "--config-dir": "a folder of your own config files",
    "--info": "how the config was composed",
    "--allow": "a package of your own that a config may name classes of",
    "--version": "the version",
    "--json": "for a program to read",
}
VALUES = {"--cfg": ("job", "hydra", "all"), "--config-dir": (), "--package": (), "--info": (), "--allow": ()}
LISTED = {"--status": get_args(State)}
"""Flags that take several values with commas between them."""

_FLAG = re.compile(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)(?:[ =](\{[^}]*\}|[A-Z][A-Z_|,.-]*))?(?:  +(.*))?$")
_ARGUMENT = re.compile(r"^  ([A-Z{][^ ]*)(?:  .*)?$")


class Flags(NamedTuple):
    """Flags with what each does, those that want a value with the values to choose from, and the arguments' names."""

    says: dict[str, str]
    valued: dict[str, tuple[str, ...]]
    arguments: list[str]
    repeats: bool
    """Whether the last argument may be given several times."""


def flags_of(command: str) -> Flags:
    """What ``quatrain <command>`` takes; nothing for one that has no --help."""
    module = import_module(f"quatrain.commands.{command.replace('-', '_')}")
    if command in HYDRAS:
        own = ["--json"] if "--json" in (module.__doc__ or "") else []
        return Flags({name: SAYS[name] for name in (*FLAGS, *own)}, dict(VALUES), [], repeats=False)
    said = StringIO()
    with redirect_stdout(said):
        module.main(["--help"])
    return _read(said.getvalue())


def _read(text: str) -> Flags:
    usage = text[text.find("usage:") :].partition("\n\n")[0]
    says: dict[str, str] = {}
    valued: dict[str, tuple[str, ...]] = {"--allow": ()}
    arguments: list[str] = []
    part, last = "", ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            part, last = line, ""
        if part == "positional arguments:" and (found := _ARGUMENT.match(line)):
            arguments.append(found[1])
        if part == "options:" and (found := _FLAG.match(line)):
            last = found[1]
            says[last] = found[3] or ""
            if found[2]:
                valued[last] = _values(last, found[2])
        elif last and line.startswith(" " * 20):
            says[last] = f"{says[last]} {line.strip()}".strip()
    return Flags(says, valued, arguments, repeats="..." in usage)


def _values(name: str, written: str) -> tuple[str, ...]:
    return LISTED.get(name) or (tuple(written.strip("{}").split(",")) if written.startswith("{") else ())
