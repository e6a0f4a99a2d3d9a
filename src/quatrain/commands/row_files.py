"""What commands share that go through the rows of a file or of standard input: arguments, and their last words."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quatrain.inference.outputs import Destination
    from quatrain.inference.rows import BadRows
    from quatrain.inference.sources import Source
    from quatrain.inference.streaming import Tally


def add_rows(parser: argparse.ArgumentParser) -> None:
    """Add FILE and how its rows are read and passed through the model."""
    from quatrain.inference.sources import FORMATS

    parser.add_argument("file", metavar="FILE", help="rows: .csv .tsv .jsonl .txt (also .gz) .parquet; - for the input")
    parser.add_argument("--output", metavar="FILE", help="where to write; standard output without it")
    parser.add_argument("--text", metavar="COLUMN", help="the column of the text; found by its usual name without it")
    parser.add_argument("--input-format", choices=FORMATS, help="of standard input; txt (lines of text) without it")
    parser.add_argument("--batch-size", type=_positive, default=32, metavar="ROWS", help="rows at a time; 32")
    parser.add_argument(
        "--max-length", type=_positive, metavar="TOKENS", help="cut longer texts; the model's positions without it"
    )
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="stop at a bad row, which is the default, or skip and count such rows",
    )


def find_ends(
    asked: argparse.Namespace,
    suffixes: Sequence[str],
    wrong: list[str],
    form: str | None = None,
    usual: Mapping[str, str] | None = None,
) -> "tuple[Source, Destination] | None":
    """Return where rows come from and go; None where that is ``wrong``, which is told there.

    Standard output gets ``form``; where that is None, the form of the rows, or what ``usual`` has for it.
    """
    from quatrain.commands.asked import gathered
    from quatrain.inference.outputs import find_destination
    from quatrain.inference.sources import find_source

    source = destination = None
    with gathered(wrong):
        source = find_source(asked.file, asked.input_format)
    own = source.form if source else suffixes[0]
    with gathered(wrong):
        destination = find_destination(asked.output, form or (usual or {}).get(own, own), suffixes)
    return (source, destination) if source and destination else None


def tell(done: int, destination: "Destination", bad: "BadRows", tally: "Tally") -> None:
    """Say on standard error where ``done`` rows went, and which were cut or left out."""
    if destination.path:
        print(f"{done:,} row{'s' if done > 1 else ''} written to {destination.path}", file=sys.stderr)
    if tally.cut:
        print(f"{tally.cut:,} of {done:,} rows were cut to {tally.length} tokens", file=sys.stderr)
    bad.tell()


def _positive(word: str) -> int:
    if not word.isdecimal() or not int(word):
        raise argparse.ArgumentTypeError(f"{word} must be a whole number of at least 1")
    return int(word)
