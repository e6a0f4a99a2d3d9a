"""Numbered poems: a text is split at headings like ``XVIII``, ``18.`` or ``Sonnet 18`` that stand on a line alone."""

import re
from collections.abc import Iterable, Iterator

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import CleaningReport, Origin

_ROMAN = r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_HEADING = re.compile(rf"\s*(?:sonnet\s+)?(?:(?-i:{_ROMAN})|\d{{1,4}})\.?\s*", re.IGNORECASE)


def is_heading(line: str) -> bool:
    """Whether a line holds a poem's number and nothing else."""
    return _HEADING.fullmatch(line) is not None


def poems(
    lines: Iterable[tuple[str, Origin]], report: CleaningReport, key: str = "data.documents"
) -> Iterator[tuple[str, Origin]]:
    """Yield each poem, its lines stripped of indentation and joined by ``\\n``, and where its heading stands.

    A heading counts after a blank line or at the very beginning. What stands before the first heading (titles) is
    dropped and reported. A record of a jsonl, csv or parquet file that has no heading is one poem as it is.

    Raises:
        UserError: a plain text file without a heading.
    """
    title: list[tuple[str, Origin]] = []
    poem: list[str] = []
    heading: Origin | None = None
    origin = Origin("", 1)
    after_blank = True
    for line, origin in lines:
        stripped = line.strip()
        if after_blank and is_heading(line):
            yield from _finished(poem, heading)
            poem, heading = [], origin
        elif stripped and heading is None:
            title.append((line, origin))
        elif stripped:
            poem.append(stripped)
        after_blank = not stripped
    if heading is None and title and origin.plain:
        raise UserError(
            f"{key}=sonnets: {origin.file} has no poem's heading (a roman or arabic number on a line of its own after "
            f"a blank line); take {key}=paragraphs, lines or whole."
        )
    if heading is None and title:
        yield "\n".join(line.strip() for line, _ in title), title[0][1]
        return
    for line, place in title:
        report.drop("title_lines", place, line)
    yield from _finished(poem, heading)


def _finished(poem: list[str], heading: Origin | None) -> Iterator[tuple[str, Origin]]:
    if poem and heading:
        yield "\n".join(poem), heading
