"""Reading the arguments of a command that composes no config."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from quatrain.core.errors import UserError


def arguments_of(command: str, doc: str | None) -> argparse.ArgumentParser:
    """Return a parser for ``quatrain <command>`` whose --help is the module's ``doc``, an example in it."""
    return argparse.ArgumentParser(
        prog=f"quatrain {command}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the TARGET and how it is to compute, which `quatrain.inference.loading.load` takes."""
    parser.add_argument("target", metavar="TARGET", help="a run, an export, a Hugging Face folder, or a hub name")
    parser.add_argument(
        "--precision",
        choices=("auto", "32-true", "bf16-mixed"),
        default="auto",
        help="auto: the quickest that is exact to about 1e-2 in a probability; 32-true: float32",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "gpu", "mps"), default="auto", help="auto: a GPU if one is here"
    )


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Let words that compose a config stand anywhere, behind flags too; add where its files are, and --json."""
    parser.add_argument("--config-dir", metavar="DIR", help="a folder of your own config files")
    parser.add_argument("--json", action="store_true", help="for a program to read")
    parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]


def flag(name: str) -> str:
    """How the argument ``name`` is written on the command line."""
    return f"--{name.replace('_', '-')}"


def number(text: str) -> int | float | str:
    """The number that ``text`` is, else ``text``: so that a check of ranges tells it together with all else."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def wrong_counts(asked: argparse.Namespace, *names: str) -> list[str]:
    """A sentence for each of the arguments ``names``, read by `number`, that is no whole number from 1 on."""
    values = {name: getattr(asked, name) for name in names}
    return [
        f"{flag(name)}={value} must be a whole number from 1 on."
        for name, value in values.items()
        if value is not None and not (isinstance(value, int) and value >= 1)
    ]


def read_arguments(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace | None:
    """Return what ``words`` say, or None after ``--help``, which is printed.

    Raises:
        UserError: an argument is missing, unknown or malformed; in one sentence.
    """

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{parser.prog}: {message}{_meant(parser, words)}")

    if {"-h", "--help"} & set(words):
        parser.print_help()
        return None
    parser.error = refuse  # type: ignore[method-assign]  # argparse would print its usage and exit
    return parser.parse_args(list(words))


def _meant(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    known = [flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")]
    flags = [word.partition("=")[0] for word in words if word.startswith("--")]
    close = [found for flag in flags if flag not in known and (found := _nearest(flag, known))]
    return f"; did you mean {', '.join(close)}?" if close else f"; {parser.prog} --help tells what it takes."


def _nearest(flag: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that ``flag`` begins, else the one that is spelled most like it."""
    flag = flag.replace("_", "-")
    begun = [one for one in known if one.startswith(flag)]
    close = get_close_matches(flag, known, n=1)
    return begun[0] if len(begun) == 1 else close[0] if close else None
