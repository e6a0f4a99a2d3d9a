"""Text of anyone's in Markdown, where it may neither format nor link nor end what it stands in."""

import re

from quatrain.core.terminal import one_line

_ACTIVE = re.compile(r"([\\`*\[\]<|])")
"""What begins emphasis, code, links, pictures, HTML and cells of a table."""


def plain(text: str) -> str:
    """``text`` as prose on one line: nothing in it is formatting."""
    return _ACTIVE.sub(r"\\\1", one_line(text))


def code(text: str) -> str:
    """``text`` as a span of code on one line, for anywhere but a table."""
    shown = one_line(text)
    fence = "`" * (_longest_run(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fenced(text: str, language: str) -> str:
    """``text`` as a block of code."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
