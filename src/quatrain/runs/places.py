"""A run writes into its own directory: what a config says of other places for Lightning's classes is refused."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

FOLDERS = frozenset({"dirpath", "dir", "log_dir", "root_dir", "default_root_dir"})
"""Arguments that name a folder to write to, but ``save_dir``, in whose place a run hands over its own."""

NAMES = frozenset({"filename", "name", "sub_dir", "version"})
"""Arguments that name a file or folder below that one."""


def straying_places(config: Any, key: str = "") -> Iterator[str]:
    """Yield a sentence for every argument of a class of Lightning's that leads out of the run directory."""
    if isinstance(config, list):
        for number, value in enumerate(config):
            yield from straying_places(value, f"{key}[{number}]")
    if not isinstance(config, dict):
        return
    of_lightning = str(config.get("_target_", "")).startswith("pytorch_lightning.")
    for name, value in config.items():
        place = f"{key}.{name}" if key else str(name)
        if of_lightning and name in FOLDERS and value is not None:
            yield f"{place}={value!r:.200} is refused, for a run writes into its own directory; leave it out."
        elif of_lightning and name in NAMES and isinstance(value, str) and _leads_out(value):
            yield f"{place}={value!r:.200} leads out of the run directory; write a name without a path."
        else:
            yield from straying_places(value, place)


def _leads_out(name: str) -> bool:
    path = PurePath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or name.startswith("~")
