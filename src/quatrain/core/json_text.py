"""Plain values as JSON: for a file, and for a terminal, which nothing in it may command."""

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(content: Any) -> str:
    """Return ``content`` as JSON, a line for each value; numbers that are not finite become null, as JSON has none."""
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def ascii_json(content: Any, *, indent: int | None = 2) -> str:
    """As `as_json`, in printable ASCII alone; without ``indent`` on one line."""
    text = json.dumps(_finite(content), indent=indent, allow_nan=False, default=str)
    return text.replace("\x7f", "\\u007f") + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
