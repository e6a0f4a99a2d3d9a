"""quatrain runs: list runs with status, best score, age, time and size, the newest first.

    quatrain runs                                     all below outputs; a sweep is one line
    quatrain runs outputs/sweeps/NAME --sort metric   the jobs of a sweep, the best first
    quatrain runs --status failed,interrupted
    quatrain runs --json

FOLDER is a run, a sweep, or what holds them; outputs without one. A run whose process is gone counts as interrupted.
In a pipe every run is one line with its path at the end.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from quatrain.core.errors import UserError

if TYPE_CHECKING:
    from quatrain.runs.inventory import Inventory
    from quatrain.runs.listing import Row

COLOURS = {"done": "green", "failed": "red", "running": "cyan", "interrupted": "yellow", "pruned": "magenta"}
MOST_TOLD = 5
"""Sentences on damaged runs that are told one by one."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain runs``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, number, read_arguments, wrong_counts

    parser = arguments_of("runs", __doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="where to look; outputs without one")
    parser.add_argument("--status", metavar="NAME,...", help="only runs of these: done, running, failed, ...")
    parser.add_argument(
        "--sort", choices=("age", "metric", "size"), default="age", help="newest, best or largest first"
    )
    parser.add_argument("--limit", type=number, metavar="N", help="no more than the first N lines")
    parser.add_argument("--jobs", action="store_true", help="a line for every job of a sweep")
    parser.add_argument("--json", action="store_true", help="every run with its whole path, overrides and numbers")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.commands.statuses import read_statuses
    from quatrain.runs.inventory import take_inventory
    from quatrain.runs.listing import chosen, rows

    statuses, wrong = read_statuses(asked.status)
    if wrong := [*wrong, *wrong_counts(asked, "limit")]:
        raise UserError(wrong)
    inventory = take_inventory(asked.folders or ["outputs"])
    entries = chosen(inventory.entries, statuses)
    named = {Path(folder).expanduser().resolve() for folder in asked.folders}
    one_by_one = asked.jobs or asked.json or statuses is not None
    sweeps = {entry.sweep for entry in entries if entry.sweep and entry.sweep.resolve() not in named}
    runs_named = {entry.sweep for entry in entries if entry.path.resolve() in named}
    listed = rows(entries, sorting=asked.sort, grouped=() if one_by_one else sorted(sweeps - runs_named))
    shown = listed[: asked.limit]
    if asked.json:
        _print_json(shown, inventory)
    else:
        _print(shown, len(listed) - len(shown), inventory)
    return 0


def _print(shown: "list[Row]", left: int, inventory: "Inventory") -> None:
    from quatrain.core.terminal import one_line
    from quatrain.runs.listing import plain_lines

    if not shown:
        print("no runs; quatrain train makes one", file=sys.stderr)
    elif sys.stdout.isatty():
        _print_on_terminal(shown)
    else:
        for line in plain_lines(shown):
            print(line)
    sys.stdout.flush()
    told = [f"and {left:,} more; without --limit all are shown"] if left else []
    told += [why for _, why in inventory.damaged[:MOST_TOLD]]
    if len(inventory.damaged) > MOST_TOLD:
        told.append(f"{len(inventory.damaged) - MOST_TOLD:,} more runs cannot be read.")
    for sentence in [*told, *inventory.told]:
        print(one_line(sentence), file=sys.stderr)


def _print_on_terminal(shown: "list[Row]") -> None:
    """Two lines for each: what it is, cut to the width; and its path, whole, to be copied."""
    from rich.console import Console
    from rich.text import Text

    from quatrain.core.terminal import one_line
    from quatrain.runs.listing import HEADINGS, shown_path

    console, now = Console(highlight=False), time.time()
    lines = [row.cells(now) for row in shown]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *lines, strict=True)]

    def put(cells: tuple[str, ...], styles: tuple[str, ...]) -> None:
        line = Text()
        for cell, width, style in zip(cells, widths, styles, strict=True):
            line.append(one_line(cell).replace("\t", " ").ljust(width), style=style)
            line.append("  ")
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ellipsis")

    put(HEADINGS, ("bold",) * len(HEADINGS))
    for row, cells in zip(shown, lines, strict=True):
        put(cells, (COLOURS.get(cells[0], ""), *[""] * (len(HEADINGS) - 1)))
        console.print(Text(f"  {one_line(shown_path(row.path))}", style="dim"), soft_wrap=True)


def _print_json(shown: "list[Row]", inventory: "Inventory") -> None:
    from quatrain.runs.directory import as_json
    from quatrain.runs.listing import as_plain

    now = time.time()
    damaged = [{"path": str(path.absolute()), "why": why} for path, why in inventory.damaged]
    content = {"runs": [as_plain(row.entries[0], now) for row in shown], "damaged": damaged}
    sys.stdout.write(as_json(content))
