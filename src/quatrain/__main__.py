"""quatrain <command> [arguments]: see quatrain --help."""

import io
import os
import sys
from importlib import import_module
from pathlib import Path

from quatrain.core.build import ALLOW_VARIABLE, launch_path
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import KILLED
from quatrain.runs.launch_command import handed_on

GROUPS = {
    "train": {
        "train": "compose an experiment and train it; -m trains many",
        "resume": "go on with an interrupted run, or train a finished one on",
        "plan": "check an experiment, and say what it would cost",
        "reproduce": "run a run again, and tell whether it is identical to the bit",
        "preprocess": "clean and validate raw data, and write files to train on",
        "train-tokenizer": "a tokenizer alone, from a corpus",
    },
    "look and compare": {
        "runs": "list runs with status, metric, age and size",
        "show": "what one run is, did and scored",
        "compare": "what runs came to: over seeds, with intervals, tests, plots",
        "report": "curves, scores and examples of a run or sweep as one page",
        "look": "show the data, and the first batch as the model gets it",
        "sync": "upload to Weights & Biases what was tracked offline",
        "clean": "remove what is of no use any more; shows it first",
    },
    "use what was trained": {
        "evaluate": "score a model on held-out data, with intervals",
        "predict": "label every row of a file or of standard input",
        "generate": "go on with a text",
        "fill": "fill the masks of a text",
        "embed": "turn texts into vectors",
        "tokenize": "show what a tokenizer makes of a text",
        "export": "hand a run on: a folder for transformers, or ONNX",
    },
    "find one's way": {
        "list": "every group and its options, one line each",
        "explain": "what a key does, its default, and what it may be",
        "init": "start a project of your own that extends this one",
    },
}
"""The commands as --help shows them."""

COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}
"""Every command, and what it does in a line."""

HELP = """\
quatrain <command> [overrides]

An experiment is four lines: data, tokenizer, model, trainer.

{commands}

Example:
  quatrain train experiment=quick_windows trainer.max_steps=50

quatrain <command> --help tells more. --allow PREFIX lets a config name classes
of your own package.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 2 refused before work, 1 failed, 75 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _speak_utf8()
    try:
        words = _allow(given)
        command, rest = (words[0], words[1:]) if words else ("--help", [])
        if command in ("--help", "-h", "help"):
            print(HELP.format(commands=_grouped()), end="")
            return 0
        if command == "--version":
            from quatrain import __version__

            print(f"quatrain {__version__}")
            return 0
        if command in ("-sc", "--shell-completion"):
            from quatrain.config.completion import complete

            return complete(rest, COMMANDS)
        if command not in COMMANDS:
            from quatrain.config.spelling import nearest

            raise UserError(
                f"There is no command {command}{nearest(command, COMMANDS) or f'; one of {chr(44).join(COMMANDS)}.'}"
            )
        with handed_on(given):
            return int(import_module(f"quatrain.commands.{command.replace(chr(45), chr(95))}").main(rest))
    except UserError as error:
        for sentence in error.sentences:
            print(f"error: {sentence}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads has seen enough; nothing more may be flushed there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return KILLED


def _grouped() -> str:
    """The commands, a line each, below what they are for."""
    blocks = [
        "\n".join([f"{title}:", *(f"  {name:<16} {line}" for name, line in commands.items())])
        for title, commands in GROUPS.items()
    ]
    return "\n\n".join(blocks)


def _speak_utf8() -> None:
    """Let what is printed be UTF-8 whatever the system's encoding, which may lack what a text or a model says."""
    for stream, errors in ((sys.stdout, None), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors or stream.errors)


def _allow(words: list[str]) -> list[str]:
    """Take ``--allow PREFIX`` out of the command line and hand it on to every process that this one starts."""
    rest, prefixes = [], [entry for entry in os.environ.get(ALLOW_VARIABLE, "").split(",") if entry]
    places = iter(words)
    for word in places:
        if word == "--allow":
            prefixes.append(next(places, ""))
        elif word.startswith("--allow="):
            prefixes.append(word.removeprefix("--allow="))
        else:
            rest.append(word)
            continue
        if not prefixes[-1]:
            raise UserError("--allow needs a package: --allow my_package")
    if prefixes:
        os.environ[ALLOW_VARIABLE] = ",".join(prefixes)
        sys.path[:0] = launch_path(Path.cwd())
    return rest


if __name__ == "__main__":
    sys.exit(main())
