"""Hydra's flags on a command line, with mistakes told our way."""

from argparse import Namespace
from typing import Any, NoReturn

from quatrain.config.spelling import nearest
from quatrain.core.errors import UserError

FLAGS = ("--help", "--cfg", "--resolve", "--package", "--multirun", "--config-dir", "--info", "--allow", "--version")


def parse_flags(arguments: list[str]) -> Namespace:
    """Return Hydra's flags, and the overrides, wherever they stand among them.

    Raises:
        UserError: a flag is unknown, lacks its value, or is refused.
    """
    from hydra._internal.utils import get_args_parser

    parser: Any = get_args_parser()
    parser.error = _refuse
    flags = parser.parse_intermixed_args(arguments)
    for override in flags.overrides:
        if override.startswith("-"):
            _refuse(f"unrecognized arguments: {override}")
    if flags.experimental_rerun:
        raise UserError(
            "--experimental-rerun is refused, because it unpickles a file; a run starts again from its directory."
        )
    if flags.config_path or flags.config_name:
        raise UserError("--config-path and --config-name are refused; add a folder of your own with --config-dir DIR.")
    asked = [
        name
        for name, given in (("--multirun (-m)", flags.multirun), ("--cfg", flags.cfg), ("--info", flags.info))
        if given
    ]
    if len(asked) > 1:
        raise UserError(f"{asked[0]} and {asked[1]} cannot be asked for at once; leave out one of them.")
    if (flags.package or flags.resolve) and flags.cfg is None:
        raise UserError("--package and --resolve belong to --cfg; write --cfg job, or leave them out.")
    return flags


def hydra_arguments(flags: Namespace, overrides: list[str]) -> list[str]:
    """The command line that tells Hydra the same flags with other overrides."""
    words = [f"--{name}" for name in ("help", "hydra-help", "multirun", "resolve") if getattr(flags, _named(name))]
    for name in ("cfg", "package", "info", "config-dir"):
        if getattr(flags, _named(name)) is not None:
            words.append(f"--{name}={getattr(flags, _named(name))}")
    return [*words, *overrides]


def _named(flag: str) -> str:
    return flag.replace("-", "_")


def _refuse(message: str) -> NoReturn:
    """Tell what argparse has to say as one sentence."""
    what, _, words = message.partition(": ")
    if what == "unrecognized arguments":
        word = words.split()[0].split("=")[0]
        hint = nearest(word, FLAGS) or f"; there are {', '.join(FLAGS)}."
        raise UserError(f"{words}: there is no flag {word}{hint}")
    raise UserError(f"{message.removeprefix('argument ')}; quatrain train --help tells the flags.")
