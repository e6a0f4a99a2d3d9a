"""One HTML page that opens from disk: all of it in the file, no request to anywhere, nothing of a text executed."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from quatrain.core.atomic_files import write_whole
from quatrain.report.rendering import render, source

PLOT = '<div class="plot"'
"""What a figure begins with; a page without one goes without plotly.js too."""


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading, and what `quatrain.report.rendering.render` or `figures.figure` made."""

    title: str
    body: Markup


def write_page(
    path: Path,
    *,
    title: str,
    lead: str,
    facts: Mapping[str, str],
    sections: Sequence[Section],
    scripts: Sequence[str] = (),
    style: str = "",
) -> Path:
    """Write the page, whole or not at all, and return ``path``.

    Every text is escaped; markup is only what was rendered. A browser runs no script but those written here, which the
    page names by their checksums, and fetches nothing.

    Args:
        path: the file.
        title: the heading, and the name of the window.
        lead: a sentence below it, or nothing.
        facts: what to see at once: a word for each, and its value.
        sections: in their order; those with an empty body are left out.
        scripts: JavaScript beside that of figures, without ``</script``. It runs when all is there; a page without
            JavaScript must still be readable.
        style: CSS beside that of all pages.

    Raises:
        NotNow: the file cannot be written.
    """
    shown = [section for section in sections if section.body.strip()]
    drawn = any(PLOT in section.body for section in shown)
    drawing = [plotly_js(), source("figures.js")] if drawn else []
    code = [_harmless(script) for script in (*drawing, source("page.js"), *scripts)]
    page = render(
        "page.html",
        title=title,
        lead=lead,
        facts=facts,
        sections=shown,
        drawn=drawn,
        style=Markup(source("page.css") + style),
        scripts=code,
        hashes=[_checksum(script) for script in code],
        unsafe_eval=any('"parcoords"' in section.body for section in shown),  # its WebGL makes functions of text
    )
    write_whole(path, page + "\n")
    return path


def plotly_js() -> str:
    """plotly.js as the installed package plotly carries it, without importing that."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def _harmless(script: str) -> Markup:
    if "</script" in script.lower() or "\r" in script:
        raise ValueError("a script may hold neither its own end nor carriage returns")
    return Markup(script)


def _checksum(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
