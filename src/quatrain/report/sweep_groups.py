"""Groups over seeds and which knob matters, as quatrain compare has them, in a page."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from quatrain.compare.cells import Cells, group_cells, knob_cells
from quatrain.compare.comparison import Comparison
from quatrain.compare.digits import share
from quatrain.compare.knobs import Knob, short_names
from quatrain.compare.notes import notes
from quatrain.report.figures import COLOURS, figure, plain
from quatrain.report.rendering import joined, render, table

MOST_GROUPS = 100
ALONE = "The runs with a result do not differ in any setting, the seed aside, so there is no knob to weigh."
EQUAL = "All runs came to the same value, so no knob matters."


def groups_table(comparison: Comparison) -> Markup:
    """The groups, the best first, and what a reader must know of their numbers."""
    said = notes(comparison)
    if (more := len(comparison.rows) - MOST_GROUPS) > 0:
        said = [f"{more:,} more groups have no line here; quatrain compare shows all.", *said]
    return joined(
        render("note.html", text=f"{comparison.aim}. Runs that differ in the seed alone are one group."),
        _table(group_cells(comparison), MOST_GROUPS),
        render("notes.html", sentences=said),
    )


def importance(comparison: Comparison) -> Markup:
    """A bar for each knob by the share of the variance that it explains; a sentence where there is nothing to say."""
    found, cells = comparison.importance, knob_cells(comparison)
    if found is None or cells is None:
        return render("note.html", text=EQUAL if comparison.knobs else ALONE)
    known = [one for one in found.shares if one.share is not None][::-1]  # plotly draws upwards
    drawn = (
        figure(
            _bars(known, comparison),
            {
                "xaxis": {"range": [0, 1], "tickformat": ".0%", "title": {"text": "share of the variance of all runs"}},
                "yaxis": {"type": "category"},
                "barmode": "overlay",
                "margin": {"l": 80, "r": 32, "t": 12, "b": 48},
            },
            label="Share of the variance that each knob explains: " + _spoken(known, comparison),
            height=90 + 34 * max(2, len(known)),
        )
        if known
        else Markup()
    )
    return joined(drawn, _table(cells, MOST_GROUPS), render("note.html", text=f"By {found.method}."))


def knob_names(comparison: Comparison) -> dict[str, str]:
    """The short names of all keys that knobs have."""
    return short_names([key for knob in comparison.knobs for key in knob.keys])


def _bars(known: Sequence[Any], comparison: Comparison) -> list[dict[str, Any]]:
    names = [_name(one.knob, comparison) for one in known]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [one.share for one in known],
        "text": [share(one.share) for one in known],
        "textposition": "auto",
        "marker": {"color": COLOURS[0]},
        "name": "share",
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    chance = {
        "type": "scatter",
        "mode": "markers",
        "y": [name for name, one in zip(names, known, strict=True) if one.by_chance is not None],
        "x": [one.by_chance for one in known if one.by_chance is not None],
        "marker": {"color": COLOURS[1], "symbol": "line-ns-open", "size": 18, "line": {"width": 3}},
        "name": "by chance alone",
        "hovertemplate": "%{y}: %{x:.0%} by chance<extra></extra>",
    }
    return [bars, chance] if chance["x"] else [bars]


def _name(knob: Knob, comparison: Comparison) -> str:
    names = knob_names(comparison)
    hidden = f" (+{knob.hidden})" if knob.hidden else ""
    return plain(" with ".join(names[key] for key in knob.columns), 34) + hidden


def _spoken(known: Sequence[Any], comparison: Comparison) -> str:
    return ", ".join(f"{_name(one.knob, comparison)} {share(one.share)}" for one in reversed(known[-5:]))


def _table(cells: Cells, most: int) -> Markup:
    return table(cells.headings, cells.lines[:most])
