"""Sizes, times and ages in words."""

import re

from quatrain.core.errors import UserError

_SPANS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = ("B", "KB", "MB", "GB", "TB")


def in_bytes(size: float) -> str:
    """A size as ``812 B``, ``3.4 MB`` or ``12 GB``."""
    for unit in _SIZES:
        if size < 999.5 or unit == _SIZES[-1]:
            break
        size /= 1000
    return f"{size:.1f} {unit}" if size < 9.95 and unit != "B" else f"{size:,.0f} {unit}"


def in_time(seconds: float) -> str:
    """A length of time as ``2.1 s``, ``42 s``, ``3:05 min`` or ``1:02:03 h``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def in_age(seconds: float) -> str:
    """How long ago something was, by its largest unit: ``5 min``, ``3 h``, ``12 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def read_age(text: str, key: str) -> float:
    """The seconds that ``30d`` means; also ``90m``, ``12h`` and ``2w``.

    Raises:
        UserError: it is no such age; ``key`` is where it was given.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if not found:
        raise UserError(f"{key} {text}: give a number with m, h, d or w (minutes, hours, days, weeks), such as 30d.")
    return int(found[1]) * _SPANS[found[2]]
