"""A comparison as Markdown, CSV, JSON, and a table of the terminal."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from quatrain.compare.cells import LEAVE_FIRST, Cells, group_cells, knob_cells
from quatrain.compare.comparison import Comparison, Row
from quatrain.core.json_text import ascii_json
from quatrain.core.terminal import one_line

WIDE = 200
"""Columns of a table that goes to a file or a pipe."""

STATISTICS = (
    *("runs", "seeds", "mean", "sd", "interval_low", "interval_high", "pairs", "difference", "p", "p_holm"),
    *("best_wins", "best_wins_low", "best_wins_high", "seconds"),
)


def print_tables(comparison: Comparison) -> list[str]:
    """Print the groups and the knobs on standard output; return a sentence on what a narrow terminal had no room for.

    There columns are left out, and then the settings get numbers and stand below, so that nothing is broken.
    """
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    groups, left_out, below = group_cells(comparison), [], []
    for heading in LEAVE_FIRST:
        if heading in groups.headings and not _fits(console, groups):
            groups = groups.without(heading)
            left_out.append(heading)
    if not _fits(console, groups):
        groups = groups.numbered()
        below = [f"{place}: {comparison.label(row)}" for place, row in enumerate(comparison.rows, start=1)]
    console.print(_rich(groups))
    for line in below:
        console.print(line, markup=False, soft_wrap=True)
    if (knobs := knob_cells(comparison)) is not None:
        console.print()
        console.print(_rich(knobs))
    shown = " and ".join(left_out)
    return [f"The terminal is too narrow for {shown}; --format markdown has all columns."] if left_out else []


def _fits(console: Any, cells: Cells) -> bool:
    boundless = console.options.update_width(10**6)
    return bool(console.measure(_rich(cells), options=boundless).maximum <= console.width)


def markdown(comparison: Comparison, notes: Sequence[str], plots: Sequence[str] = ()) -> str:
    """Tables, then what a reader must know, then the pictures by their file names."""
    parts = [f"# {_escaped(str(comparison.aim))}", *map(_markdown_table, _tables(comparison))]
    if notes:
        parts.append("\n".join(f"- {_escaped(note)}" for note in notes))
    parts += [f"![{name.removesuffix('.svg')}]({name})" for name in plots]
    return "\n\n".join(parts) + "\n"


def csv_text(comparison: Comparison) -> str:
    """A line for each group: every setting that has a column under its whole key, and numbers in all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*map(one_line, comparison.columns), *STATISTICS])
    for row in comparison.rows:
        flat = _statistics(row)
        settings = [_plain(row.settings.get(key)) for key in comparison.columns]
        writer.writerow([*settings, *("" if flat[name] is None else flat[name] for name in STATISTICS)])
    return text.getvalue()


def json_text(comparison: Comparison, notes: Sequence[str]) -> str:
    """All of it, each run with its value and its folder; in ASCII, so that nothing commands a terminal."""
    importance = comparison.importance
    content = {
        "metric": comparison.aim.metric,
        "mode": comparison.aim.mode,
        "value": "last" if comparison.aim.last else "best",
        "groups": [_group(row) for row in comparison.rows],
        "importance": importance
        and {
            "method": importance.method,
            "knobs": [
                {"keys": one.knob.keys, "share": one.share, "by_chance": one.by_chance} for one in importance.shares
            ],
            "between_runs_of_one_group": importance.between_seeds,
        },
        "decided_by_name": comparison.decided_by_name,
        "notes": list(notes),
    }
    return ascii_json(content)


def _group(row: Row) -> dict[str, Any]:
    runs = [
        {"seed": run.seed, "value": value, "folder": str(run.found.path.parent)}
        for run, value in zip(row.runs, row.values, strict=True)
    ]
    found = {name: value for name, value in _statistics(row).items() if name != "seeds"}
    if row.paired is not None and row.paired.why:
        found["why_no_p"] = row.paired.why
    if row.summary.interval is None:
        found["why_no_interval"] = "no interval from one run"
    return {"settings": row.settings, **found, "of_runs": runs}


def _statistics(row: Row) -> dict[str, Any]:
    found, paired, wins = row.summary, row.paired, row.best_wins
    low, high = found.interval or (None, None)
    wins_low, wins_high = wins.interval if wins else (None, None)
    values = (
        *(found.count, " ".join(str(run.seed) for run in row.runs), found.mean, found.deviation, low, high),
        *((paired.count, paired.difference, paired.p) if paired else (None, None, None)),
        *(row.p_holm, wins.probability if wins else None, wins_low, wins_high, row.seconds),
    )
    return dict(zip(STATISTICS, values, strict=True))


def _tables(comparison: Comparison) -> list[Cells]:
    return [cells for cells in (group_cells(comparison), knob_cells(comparison)) if cells is not None]


def _rich(cells: Cells) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(cells.headings):
        table.add_column(escape(heading), justify="left" if place < cells.texts else "right", overflow="fold")
    for line in cells.lines:
        table.add_row(*map(escape, line))
    return table


def _markdown_table(cells: Cells) -> str:
    marks = ["---" if place < cells.texts else "---:" for place in range(len(cells.headings))]
    lines = [list(map(_escaped, cells.headings)), marks, *([_escaped(cell) for cell in line] for line in cells.lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Text of others without marks of Markdown or HTML."""
    for mark in "\\|`[]*":
        text = text.replace(mark, f"\\{mark}")
    return one_line(text.replace("&", "&amp;").replace("<", "&lt;"))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
