"""The comparison as text in columns, for the terminal and for Markdown."""

from collections.abc import Sequence
from typing import NamedTuple

from quatrain.compare.comparison import Comparison, Row
from quatrain.compare.digits import chance, decimals_for, fixed, share
from quatrain.compare.knobs import short_names
from quatrain.compare.statistics import Improvement, Paired

ONE_RUN = "one run"
WINS = "P(best wins)"
DEVIATION = "sd"
LEAVE_FIRST = (WINS, DEVIATION)
"""The columns that a narrow terminal can do without."""


class Cells(NamedTuple):
    """Headings and lines. The first ``texts`` columns are text, the others numbers."""

    headings: list[str]
    lines: list[list[str]]
    texts: int

    def without(self, heading: str) -> "Cells":
        """The same without a column."""
        place = self.headings.index(heading)
        headings, *lines = ([*line[:place], *line[place + 1 :]] for line in (self.headings, *self.lines))
        return Cells(headings, lines, self.texts)

    def numbered(self) -> "Cells":
        """The same with the number of the line in place of its texts."""
        lines = [[str(place), *line[self.texts :]] for place, line in enumerate(self.lines, start=1)]
        return Cells(["group", *self.headings[self.texts :]], lines, 1)


def group_cells(comparison: Comparison) -> Cells:
    """A line for each group, the best first."""
    rows = comparison.rows
    summaries = [row.summary for row in rows]
    decimals = decimals_for([one.mean for one in summaries], [one.deviation for one in summaries])
    several = len(rows) > 1
    settings = list(comparison.headings) or ["experiment"]
    headings = [*settings, "runs", f"mean {comparison.aim.metric}", DEVIATION, "95 % interval"]
    headings += ["vs best", "p (Holm)", WINS] if several else []
    return Cells(headings, [_line(comparison, row, decimals, several) for row in rows], len(settings))


def knob_cells(comparison: Comparison) -> Cells | None:
    """A line for each knob, what matters most first; None where there is nothing to share."""
    found = comparison.importance
    if found is None:
        return None
    names = short_names([key for knob in comparison.knobs for key in knob.keys])
    by_chance = any(one.by_chance is not None for one in found.shares)
    lines = []
    for one in found.shares:
        name = " with ".join(names[key] for key in one.knob.columns)
        hidden = f" (+{one.knob.hidden})" if one.knob.hidden else ""
        lines.append([name + hidden, share(one.share), *([share(one.by_chance)] if by_chance else [])])
    if found.between_seeds is not None:
        lines.append(["between runs of one group", share(found.between_seeds), *(["—"] if by_chance else [])])
    return Cells(["knob", "share of variance", *(["by chance alone"] if by_chance else [])], lines, 1)


def _line(comparison: Comparison, row: Row, decimals: int, several: bool) -> list[str]:
    found = row.summary
    interval = ONE_RUN if found.interval is None else _range(found.interval, decimals)
    line = [*(row.shown or (comparison.label(row),)), f"{found.count:,}"]
    line += [fixed(found.mean, decimals), fixed(found.deviation, decimals), interval]
    return [*line, _difference(row.paired, decimals), _p(row), _wins(row.best_wins)] if several else line


def _difference(paired: Paired | None, decimals: int) -> str:
    if paired is None:
        return "the best"
    return fixed(paired.difference, decimals, sign=True)


def _p(row: Row) -> str:
    if row.paired is None or row.p_holm is None:
        return "—"
    return f"{chance(row.p_holm)} (n={row.paired.count})"


def _wins(found: Improvement | None) -> str:
    if found is None:
        return "—"
    low, high = found.interval
    return f"{found.probability:.2f} ({low:.2f} to {high:.2f})"


def _range(interval: Sequence[float], decimals: int) -> str:
    return " to ".join(fixed(end, decimals) for end in interval)
