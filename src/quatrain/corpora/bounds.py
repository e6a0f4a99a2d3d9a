"""How much is read of a file of data: limits that no honest corpus meets, and the sentences at them."""

import math
from pathlib import Path

from quatrain.core.brought_files import megabytes
from quatrain.core.errors import UserError

LONGEST_LINE = 256 * 10**6
"""Bytes of a line, or of text without any space: it is held in memory as a whole."""

FREE_SIZE = 10**9
"""Bytes that any compressed file may unpack to."""

HIGHEST_RATIO = 500
"""Beyond `FREE_SIZE`, how many times its size a compressed file may unpack to. Text reaches 2 to 10, one poem again and
again some 300, and zeros 1030."""


def unpacked_bound(path: Path) -> float:
    """The bytes that a file may give: for a compressed one by its size, for a plain one without end."""
    if not path.name.lower().endswith(".gz"):
        return math.inf
    return max(FREE_SIZE, HIGHEST_RATIO * path.stat().st_size)


def beyond_bound(path: Path, bound: float, key: str) -> UserError:
    """The error of a compressed file that goes on after ``bound`` bytes."""
    size = path.stat().st_size
    return UserError(
        f"{key}={path} has {megabytes(size)} and unpacks to more than {megabytes(int(bound))}: beyond"
        f" {megabytes(FREE_SIZE)} at most {HIGHEST_RATIO} times the file's size are unpacked; if the file is honest,"
        " unpack it yourself (gunzip) and name the plain file."
    )


def too_long(path: str | Path, line: int, key: str) -> UserError:
    """The error of a line beyond `LONGEST_LINE`."""
    return UserError(
        f"{key}: {path}, line {line} is longer than {megabytes(LONGEST_LINE)}, the most that is read of a line; break"
        " it into several."
    )
