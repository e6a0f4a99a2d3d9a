"""The arguments of commands that go through the rows of a file or of standard input."""

import argparse


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


def _positive(word: str) -> int:
    if not word.isdecimal() or not int(word):
        raise argparse.ArgumentTypeError(f"{word} must be a whole number of at least 1")
    return int(word)
