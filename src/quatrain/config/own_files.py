"""Config files of a user's own, looked at before Hydra reads them."""

from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError

LARGEST = 1_000_000
"""Bytes of one config file."""

MOST_VALUES = 20_000
"""Values that one config file may hold, those that it repeats by ``*name`` counted each time."""

LOOKED_AT = ("*.yaml", "*/*.yaml", "*/*/*.yaml")


def check_own_files(folder: Path) -> None:
    """Refuse files that would only use up memory, or that are no text.

    Raises:
        UserError: with a sentence for each.
    """
    files = (path for pattern in LOOKED_AT for path in sorted(folder.glob(pattern)))
    mistakes = [sentence for path in files if (sentence := _mistake(path))]
    if mistakes:
        raise UserError(mistakes)


def file_problem(error: Any) -> str:
    """Say where a file is no YAML, and why."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = getattr(error, "problem", None) or " ".join(str(error).split())
    where = f"{mark.name}:{mark.line + 1}" if mark else "A config file"
    return f"{shown(where)}: cannot be read as YAML ({why}); mend that line."


def shown(path: str) -> str:
    """A path as a user would write it: below the current folder without that folder."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _mistake(path: Path) -> str | None:
    import yaml

    try:
        if not path.is_file():
            return f"{shown(str(path))} is no file; put a config file in its place, or take it away."
        if path.stat().st_size > LARGEST:
            return f"{shown(str(path))} is larger than {LARGEST:,} bytes, so it is no config file; take it away."
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return f"{shown(str(path))} is no UTF-8 text (byte {error.start}); write it as UTF-8."
    except OSError as error:
        return f"{shown(str(path))} cannot be read ({error.strerror}); mend that, or take it away."
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None  # told by whoever reads it for the experiment
    if getattr(root, "id", "mapping") != "mapping":
        return f"{shown(str(path))} holds no mapping of keys to values, as every config file does; write KEY: VALUE."
    if _count(root, 0, 0) > MOST_VALUES:
        return f"{shown(str(path))} repeats its values by * more than {MOST_VALUES:,} times; write what is meant."
    return None


def _count(node: Any, depth: int, found: int) -> int:
    """``found`` and the values below ``node``, as far as `MOST_VALUES`; a circle counts as endless."""
    if depth > 50:
        return MOST_VALUES + 1
    pairs = getattr(node, "value", None)
    if isinstance(pairs, list):
        for item in pairs:
            for child in item if isinstance(item, tuple) else (item,):
                found = _count(child, depth + 1, found)
                if found > MOST_VALUES:
                    return found
    return found + 1
