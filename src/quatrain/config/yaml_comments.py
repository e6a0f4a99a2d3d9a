"""What config files say beside their values: what an option is, in the first lines, and what a key does, beside it."""

import functools
import re
from pathlib import Path

_PACKAGE = re.compile(r"#\s*@package\b")
_STARTS_QUOTE = re.compile(r"[\s:\[{,]")


@functools.cache
def header(file: Path) -> str:
    """What the first comment lines of ``file`` say, as one line; empty where it begins with none."""
    said = []
    for line in _lines(file):
        if not line.startswith("#"):
            break
        if not _PACKAGE.match(line):
            said.append(line.lstrip("# ").strip())
    return " ".join(part for part in said if part)


def first_sentence(text: str) -> str:
    """``text`` up to the first point or semicolon that ends a sentence of it."""
    found = re.match(r"(.+?(?:\.|;))(?= +[A-Z+]|$)", text)
    return found[1].rstrip(";") if found else text


def comment(file: Path, line: int) -> str:
    """What stands beside the key in ``line`` (from 1) of ``file``, and goes on below, or else right above it."""
    lines = _lines(file)
    if not 0 < line <= len(lines):
        return ""
    said, column = _beside(lines[line - 1])
    if said:
        for below in lines[line:]:
            if not (below.strip().startswith("#") and below.index("#") == column):
                break
            said += " " + below.strip("# \t")
        return said
    above: list[str] = []
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    at = line - 2
    while at >= 0 and lines[at].lstrip().startswith("#") and lines[at].index("#") == indent:
        above.insert(0, lines[at].strip("# \t"))
        at -= 1
    return " ".join(above) if at >= 0 else ""  # what stands at the top is the file's


def value_text(file: Path, line: int) -> str:
    """The value in ``line`` (from 1) of ``file``, as it is written there; empty where it stands below."""
    lines = _lines(file)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    said, column = _beside(text)
    return text[: column if said else None].partition(":")[2].strip()


def _beside(line: str) -> tuple[str, int]:
    """The comment of a line that holds a key, and its column; empty where there is none."""
    quote, before = "", " "
    for column, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and _STARTS_QUOTE.match(before):
            quote = character
        elif character == "#" and before.isspace() and line[:column].strip():
            return line[column:].strip("# \t"), column
        before = character
    return "", 0


@functools.cache
def _lines(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()
