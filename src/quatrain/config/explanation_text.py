"""Explanations as text for a terminal: what is known of each key under one another, and many keys as a table."""

import textwrap
from collections.abc import Iterable, Iterator

from quatrain.config.explaining import Explained, Stated
from quatrain.config.yaml_comments import first_sentence
from quatrain.core.terminal import one_line

LABEL = 12
"""Columns of what stands before a text."""

MANY = 8
"""So many keys are told one by one; more make a table."""


def told(explained: list[Explained], width: int) -> str:
    """``explained`` in ``width`` columns: a table where there are many, else each with all that is known of it."""
    if len(explained) > MANY:
        return "".join(f"{line}\n" for line in table(explained, width))
    return "\n".join("".join(f"{line}\n" for line in _lines(one, width)) for one in explained)


def table(explained: Iterable[Explained], width: int) -> Iterator[str]:
    """A line for each key: its value, and the first sentence of what it does."""
    rows = [(one.key, one_line(one.value), one_line(first_sentence(one.says))) for one in explained]
    first = max((len(key) for key, _, _ in rows), default=0)
    second = min(max((len(value) for _, value, _ in rows), default=0), 24)
    for key, value, says in rows:
        start = f"{key:<{first}}  {_cut(value, second):<{second}}  "
        yield start + (_cut(says, width - len(start)) if width - len(start) > 20 else says)


def option_lines(rows: Iterable[tuple[str, str, bool]], width: int) -> Iterator[str]:
    """Options (name, what it is, whether it is chosen), the chosen one with a star."""
    rows = list(rows)
    first = max((len(name) for name, _, _ in rows), default=0)
    for name, says, chosen in rows:
        start = f"  {'*' if chosen else ' '} {name:<{first}}  "
        yield from hanging(start, says, width)


def _lines(one: Explained, width: int) -> Iterator[str]:
    yield one.key
    yield from textwrap.wrap(one_line(one.says), width, initial_indent="  ", subsequent_indent="  ")
    if one.option:
        yield from _labelled("comes with", one.option + ", which is not chosen here", width)
    if one.whose:
        yield from _labelled("of", one.whose, width)
    if one.allowed and not one.options:
        yield from _labelled("may be", one.allowed, width)
    if one.options:
        yield from option_lines(
            [(option.name, option.says, option.name in _names(one.value)) for option in one.options], width
        )
    if one.default is not None:
        yield from _labelled("default", f"{one.default}, by the class", width) if not one.instead else ()
    for place, stated in enumerate(one.stated):
        yield from _labelled("set" if place == 0 else "", _stated(stated), width)
    if one.value and not one.options:
        follows = f", taken from {one.follows}: set that one" if one.follows else ""
        yield from _labelled("now", one.value + follows, width)
    for sentence in one.refused:
        yield from _labelled("refused", sentence, width)
    if one.example:
        yield from _labelled("example", one.example, width)
    if one.holds:
        yield ""
        yield from (f"  {line}" for line in table(one.holds, width - 2))


def _stated(stated: Stated) -> str:
    return f"{stated.value}  {stated.where}{f' ({stated.reason})' if stated.reason else ''}"


def _names(chosen: str) -> set[str]:
    return {name.strip(" '") for name in chosen.strip("[]").split(",")}


def _labelled(label: str, text: str, width: int) -> Iterator[str]:
    return hanging(f"  {label:<{LABEL}}", text, width)


def hanging(start: str, text: str, width: int) -> Iterator[str]:
    """``text`` behind ``start``, its further lines below its first."""
    lines = textwrap.wrap(one_line(text), max(width - len(start), 20), break_long_words=False, break_on_hyphens=False)
    for place, line in enumerate(lines or [""]):
        yield ((start if place == 0 else " " * len(start)) + line).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
