"""Markdown as GitHub reads it: tables, code and plain text in their cells, and the anchors of headings."""

import re
from collections.abc import Iterable, Iterator, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, without the columns that are empty in every row; cells are Markdown already."""
    rows = [list(row) for row in rows]
    kept = [place for place in range(len(header)) if any(row[place] for row in rows)]
    for cells in ([header[place] for place in kept], ["---"] * len(kept), *([row[at] for at in kept] for row in rows)):
        yield f"| {' | '.join(cells)} |"


def code(words: str) -> str:
    """``words`` as code in a cell; nothing where there are none."""
    return f"`{words.replace('|', chr(92) + '|')}`" if words else ""


def text(words: str) -> str:
    """``words`` as plain text in a cell, what stands between backticks as code."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        parts = [words.replace("`", "'")]
    plain = [re.sub(r"([*<|\[\]])", r"\\\1", part) for part in parts[::2]]
    cells = [f"`{part.replace('|', chr(92) + '|')}`" for part in parts[1::2]]
    return "".join(one for pair in zip(plain, [*cells, ""], strict=True) for one in pair)


def slug(title: str) -> str:
    """The anchor of the heading ``title``."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
