"""Nested mappings as keys with points, and two of them as one."""

from collections.abc import Iterator
from typing import Any


def flat(config: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its value, mappings before what they hold."""
    for name, value in config.items():
        key = f"{above}.{name}" if above else str(name)
        yield key, value
        if isinstance(value, dict):
            yield from flat(value, key)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both mappings as one; where they differ ``other`` holds."""
    both = {**one, **other}
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            both[name] = merged(one[name], other[name])
    return both
