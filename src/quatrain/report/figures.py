"""A plotly figure as plain values, with the one theme of all reports, and what it says in words and numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from quatrain.core.terminal import printable
from quatrain.report.rendering import render, table

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which the colour-blind tell apart. On a dark page figures.js puts lighter ones in their places."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")

LONGEST_LABEL = 60
"""Characters of a text in a figure."""

DIGITS = 6
"""Significant digits of a number in a figure."""


def figure(
    data: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any] | None = None,
    *,
    label: str,
    height: int = 340,
    width: int | None = None,
    log: bool = False,
    numbers: tuple[Sequence[str], Sequence[Sequence[Any]]] | None = None,
) -> Markup:
    """A figure that follows the width of the page, light and dark, and the printer.

    Args:
        data: traces of plotly's schema, of plain values. Their texts are pseudo-HTML to plotly: `plain` makes a text
            of data harmless. Colours are those of `COLOURS` or `faded` ones, which alone become lighter on dark.
        layout: of plotly's schema too; the theme's fonts, margins, grid and legend hold where it says nothing.
        label: what the figure shows, in a sentence, for who does not see it.
        height: in pixels.
        width: at most, in pixels; without it as wide as the page.
        log: whether there is a button that makes the y axis logarithmic.
        numbers: the columns and rows of a table to unfold below it.
    """
    content = {"data": [_plain_values(trace) for trace in data], "layout": _plain_values(themed(layout or {}, height))}
    return render(
        "figure.html",
        content=in_script(content),
        label=label,
        height=height,
        width=width,
        log=log,
        numbers=table(*numbers) if numbers else None,
    )


def styled(place: int) -> dict[str, Any]:
    """Colour, dash and marker of the curve at ``place``: no two of the first seven share a colour or a marker."""
    colour = COLOURS[place % len(COLOURS)]
    return {
        "line": {"color": colour, "dash": DASHES[place % len(DASHES)], "width": 2},
        "marker": {"color": colour, "symbol": MARKERS[place % len(MARKERS)], "size": 7},
    }


def faded(colour: str, share: float = 0.2) -> str:
    """``colour`` that lets through what lies below it: for bands."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def plain(text: str, longest: int = LONGEST_LABEL) -> str:
    """A text for a figure: of one line, at most so long, and no pseudo-HTML."""
    words = " ".join(printable(text).split())
    short = words if len(words) <= longest else words[: longest - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def themed(layout: Mapping[str, Any], height: int) -> dict[str, Any]:
    """``layout`` over what all figures share."""
    axis = {"automargin": True, "zeroline": False, "ticks": "outside", "ticklen": 4}
    own = dict(layout)
    axes = {name: {**axis, **own.pop(name, {})} for name in {"xaxis", "yaxis", *(n for n in own if "axis" in n)}}
    return {
        "height": height,
        "margin": {"l": 48, "r": 12, "t": 12, "b": 40},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "colorway": list(COLOURS),
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 12},
        "uirevision": "kept",
        **axes,
        **own,
    }


def in_script(content: Any) -> Markup:
    """``content`` as JSON that a script element can hold: neither its end nor a comment's beginning nor U+2028."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _plain_values(value: Any) -> Any:
    """Numbers with the digits that one sees, null where they are not finite."""
    if isinstance(value, Mapping):
        return {name: _plain_values(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_values(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
