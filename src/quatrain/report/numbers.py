"""Numbers and times for the eye."""

from datetime import datetime, timedelta
from typing import Any


def number(value: Any) -> str:
    """Four significant digits of a number, thousands parted; a dash for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "—"
    if isinstance(value, int) or (value == int(value) if abs(value) < 1e15 else False):
        return f"{int(value):,}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.4g}"


def share(value: Any) -> str:
    """A share in percent, one digit after the point."""
    return f"{value:.1%}" if isinstance(value, int | float) else "—"


def span(seconds: float) -> str:
    """A time span in its two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def moment(iso: Any) -> str:
    """A time as run directories write it, to the minute and with its zone; what is no time as it is."""
    found = _time(iso)
    return found.strftime("%Y-%m-%d %H:%M %Z").strip() if found else str(iso)


def between(start: Any, end: Any) -> float | None:
    """Seconds from one time to another; None where one of them is no time."""
    first, last = _time(start), _time(end)
    if first is None or last is None or (first.tzinfo is None) != (last.tzinfo is None):
        return None
    return max(timedelta(0), last - first).total_seconds()


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
