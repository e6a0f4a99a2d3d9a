"""Templates filled in, every text escaped."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quatrain.core.terminal import printable

TEMPLATES = "templates"


def render(template: str, **values: Any) -> Markup:
    """Return ``template`` with ``values`` in it.

    Every text is escaped and its control characters are written out, also those that turn the direction of writing;
    only Markup, which came from here, goes in as it is.
    """
    return Markup(_environment().get_template(template).render(**values))


def source(name: str) -> str:
    """The file ``name`` beside the templates: a style or a script."""
    return files("quatrain.report").joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str = "") -> Markup:
    """A table with a heading for each column; numbers are set to the right, and it scrolls by itself where it is wide.

    A cell is a text, a number, None (empty), or Markup.
    """
    return render("table.html", columns=columns, rows=rows, caption=caption)


def properties(values: Mapping[str, Any]) -> Markup:
    """A list of names, each with what it is: a text, a number or Markup. Nothing where there are none."""
    return render("properties.html", values=values) if values else Markup()


def heading(text: str) -> Markup:
    """A heading within a section."""
    return render("heading.html", text=text)


def joined(*parts: Markup) -> Markup:
    """Parts of a section, one after the other."""
    return Markup("\n").join(part for part in parts if part)


def side_by_side(parts: Sequence[Markup]) -> Markup:
    """Parts beside one another as far as the page is wide."""
    return render("grid.html", parts=[part for part in parts if part]) if any(parts) else Markup()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("quatrain.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_told,
    )


def _told(value: Any) -> Any:
    if value is None:
        return ""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
