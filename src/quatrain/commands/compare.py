"""quatrain compare: what runs came to, grouped over seeds, with intervals, tests, and which knob matters.

    quatrain compare outputs/sweeps/NAME
    quatrain compare outputs/sweeps/NAME OTHER RUN --metric val/accuracy
    quatrain compare outputs --format markdown > table.md
    quatrain compare outputs/sweeps/NAME --output comparison     compare.md, .csv, .json and plots (SVG and PNG)

Reads the result.json files below each FOLDER (a sweep, a run, or what holds such folders) and nothing else, so that
these alone can be copied from a cluster. Runs that differ in the seed alone are one group. The table goes to standard
output, what must be known of it to standard error. docs/compare.md explains every number.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    from quatrain.compare.comparison import Comparison

FORMATS = ("table", "markdown", "csv", "json")


def main(arguments: list[str]) -> int:
    """Run ``quatrain compare``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("compare", __doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", help="where results lie")
    parser.add_argument("--metric", help="what to compare by, such as val/loss; without it what chose the checkpoints")
    parser.add_argument("--mode", choices=("min", "max"), help="which of its values are good, where that is not known")
    parser.add_argument("--last", action="store_true", help="the last value of each run instead of the best")
    parser.add_argument("--by-folder", action="store_true", help="keep apart what lies below different FOLDERs")
    parser.add_argument("--format", choices=FORMATS, default="table", help="of standard output; table without it")
    parser.add_argument("--output", metavar="DIR", help="write tables and plots to this folder too")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.compare.aim import choose_aim
    from quatrain.compare.comparison import compare
    from quatrain.compare.loading import load
    from quatrain.compare.notes import notes

    results, told = load(asked.folders)
    aim = choose_aim(results, asked.metric, asked.mode, last=asked.last)
    comparison = compare(results, aim, by_folder=asked.by_folder)
    told += notes(comparison)
    if asked.output:
        told += _write(comparison, told, Path(asked.output).expanduser())
    _print(comparison, told, asked.format)
    return 0


def _print(comparison: "Comparison", told: Sequence[str], form: str) -> None:
    from quatrain.compare.writing import csv_text, json_text, markdown, print_tables

    print(one_line(str(comparison.aim)), file=sys.stderr)
    if form == "table":
        told = [*told, *print_tables(comparison)]
    else:
        text = {
            "markdown": lambda: markdown(comparison, told),
            "csv": lambda: csv_text(comparison),
            "json": lambda: json_text(comparison, told),
        }[form]()
        sys.stdout.write(text)
    sys.stdout.flush()
    for sentence in told:
        print(one_line(sentence), file=sys.stderr)


def _write(comparison: "Comparison", told: Sequence[str], folder: Path) -> list[str]:
    """Write all forms and the plots; return what there is to say of it.

    Raises:
        NotNow: the folder cannot be written.
    """
    from quatrain.compare.plots import draw
    from quatrain.compare.writing import csv_text, json_text, markdown
    from quatrain.core.atomic_files import cannot_write, write_whole

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    plots, missing = draw(comparison, folder)
    told = [*told, *missing]
    write_whole(folder / "compare.csv", csv_text(comparison))
    write_whole(folder / "compare.json", json_text(comparison, told))
    write_whole(folder / "compare.md", markdown(comparison, told, plots))
    return [*missing, f"written to {folder}"]
