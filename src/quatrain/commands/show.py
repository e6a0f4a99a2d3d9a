"""quatrain show: what a run is, did and scored, and what to do with it next.

    quatrain show outputs/quick_sonnets/20261122-101500-default-1a2b3c4d
    quatrain show outputs/sweeps/NAME         the jobs of a sweep in short
    quatrain show RUN --json

Reads the files of the run alone; no data and no weights are loaded.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError

if TYPE_CHECKING:
    from rich.console import RenderableType


def main(arguments: list[str]) -> int:
    """Run ``quatrain show``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("show", __doc__)
    parser.add_argument("run", metavar="RUN|SWEEP", help="a run directory, or the folder of a sweep")
    parser.add_argument("--json", action="store_true", help="as JSON, sizes in bytes and times in seconds")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.core.terminal import one_line

    folder = Path(asked.run).expanduser()
    if not folder.is_dir():
        raise UserError(f"There is no folder {asked.run}; quatrain runs lists what there is.")
    found, told = _of_run(folder) if (folder / "config.yaml").is_file() else _of_folder(folder)
    if asked.json:
        from quatrain.core.json_text import ascii_json

        sys.stdout.write(ascii_json(found))
    else:
        from quatrain.runs.overview_tables import sections
        from quatrain.runs.sweep_overview import sweep_sections

        _print(found["path"], sections(found) if "files" in found else sweep_sections(found))
    sys.stdout.flush()
    for sentence in told:
        print(one_line(sentence), file=sys.stderr)
    return 0


def _of_run(folder: Path) -> tuple[dict[str, Any], list[str]]:
    from quatrain.runs.directory import load_run
    from quatrain.runs.overview import overview

    return overview(load_run(folder))


def _of_folder(folder: Path) -> tuple[dict[str, Any], list[str]]:
    from quatrain.runs.inventory import take_inventory
    from quatrain.runs.sweep_overview import sweep_overview

    inventory = take_inventory([str(folder)])
    told = [why for _, why in inventory.damaged]
    return sweep_overview(folder, inventory), [*told, *inventory.told]


def _print(path: str, sections: "Iterable[RenderableType]") -> None:
    """On a terminal as wide as it is; in a pipe or a file nothing is cut, and no line is padded."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    from quatrain.core.terminal import one_line

    written = StringIO()
    console = Console(highlight=False) if sys.stdout.isatty() else Console(file=written, highlight=False, width=1000)
    console.print(Text(one_line(path), style="bold"), soft_wrap=True)
    for section in sections:
        console.print(section, soft_wrap=isinstance(section, Text))
    for line in written.getvalue().splitlines():
        print(line.rstrip())
