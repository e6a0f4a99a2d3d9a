"""Names that become folders, and places to write to: all below the run's own."""

from collections.abc import Iterator
from typing import Any

from quatrain.core.terminal import printable
from quatrain.runs.places import straying_places

LONGEST = 120


def misnamed(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for ``name``, ``sweep.name`` and the places of Lightning's classes that lead elsewhere."""
    sweep = config.get("sweep")
    for key, value in (
        ("name", config.get("name")),
        ("sweep.name", sweep.get("name") if isinstance(sweep, dict) else None),
    ):
        if isinstance(value, str) and (fault := _fault(value)):
            yield f"{key}={value!r:.200} {fault}; it names a folder: take letters, digits, dots, dashes, underscores."
    yield from straying_places(config)


def _fault(name: str) -> str | None:
    if not name.strip(" ."):
        return "names no folder"
    if "/" in name or "\\" in name or name.startswith("~"):
        return "holds a path"
    if len(name.encode("utf-8", "replace")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    return "holds control characters" if printable(name) != name or "\n" in name or "\t" in name else None
