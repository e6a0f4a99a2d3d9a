"""Reading the files of a run directory, whoever wrote them: within it, within a size and a form, else a sentence."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from quatrain.core.brought_files import megabytes, read_bounded, stray
from quatrain.core.errors import UserError

KEY = "run"
LARGEST_CONFIG = 10**6
"""Bytes of config.yaml and overrides.yaml; ours have some 5,000."""

LARGEST_JSON = 64 * 10**6
LARGEST_METRICS = 10**9
MOST_VALUES = 100_000
"""Values of a YAML file, those that an alias repeats counted each time."""


def check_links(run: Path) -> None:
    """Make sure that what lies in the directory ``run``, and in its folders, is no link that leads out of it.

    A run reads and writes there: a log that is a link would be written elsewhere.

    Raises:
        UserError: with a sentence for each such link.
    """
    entries = [entry for folder in (run, *_folders(run)) for entry in _entries(folder)]
    wrong = [sentence for entry in entries if entry.is_symlink() and (sentence := stray(entry, run, KEY))]
    if wrong:
        raise UserError(wrong)


def read_text(path: Path, limit: int) -> str:
    """The text of a run's file, which lies in its directory and has at most ``limit`` bytes.

    Raises:
        UserError: it does not, or is not UTF-8.
    """
    if sentence := stray(path, path.parent, KEY):
        raise UserError(sentence)
    try:
        return read_bounded(path, limit, KEY).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read (byte {error.start} is not UTF-8).") from error


def read_json(path: Path, limit: int | None = None) -> Any:
    """What a run's JSON file holds, which has at most ``limit`` bytes; None: `LARGEST_JSON`.

    Raises:
        UserError: it cannot be read.
    """
    return _parsed(read_text(path, LARGEST_JSON if limit is None else limit), path, json.loads)


def read_yaml(path: Path) -> Any:
    """The plain values of a run's YAML file.

    Raises:
        UserError: it cannot be read, holds other than plain values, or more than `MOST_VALUES`.
    """
    return read_yaml_text(read_text(path, LARGEST_CONFIG), path)


def read_yaml_text(text: str, path: Path) -> Any:
    """The plain values of ``text``, which stands in the file ``path``; raises as `read_yaml`."""
    content = _parsed(text, path, _plain_yaml)
    _count(content, path)
    return content


def read_mapping(path: Path, read: Callable[[Path], Any], hint: str) -> dict[str, Any]:
    """The mapping that ``read`` finds at ``path``; ``hint`` is what to think where there is no file.

    Raises:
        UserError: there is none, it cannot be read, or holds no mapping.
    """
    if not os.path.lexists(path):
        raise UserError(f"{path} does not exist; {hint}")
    content = read(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no mapping; it was not written by quatrain.")
    return content


def fitting(kind: type, content: dict[str, Any], path: Path) -> Any:
    """The dataclass ``kind`` of plain fields made of ``content``.

    Raises:
        UserError: a field is unknown, missing or of another type.
    """
    hints = get_type_hints(kind)
    for name, value in content.items():
        allowed = get_args(hints[name]) or (hints[name],) if name in hints else ()
        if not any(value == one if isinstance(one, str) else type(value) is one for one in allowed):
            raise UserError(f"{path}: {name}={value!r:.100} does not fit; it was not written by quatrain.")
    try:
        return kind(**content)
    except TypeError as error:
        raise UserError(f"{path} lacks a field ({error}); it was not written by quatrain.") from error


def finite(found: Any) -> float | None:
    """``found`` as a float; None where it is no number, or none that a float can hold."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found) if math.isfinite(found) else None
    except OverflowError:
        return None


class _PlainLoader(yaml.SafeLoader):
    """Plain values alone: merge keys, by which a few lines become any number, are none."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave the mapping as it is written."""


def _plain_yaml(text: str) -> Any:
    return yaml.load(text, Loader=_PlainLoader)


def _parsed(text: str, path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read ({' '.join(str(error).split()):.300}).") from error


def _count(content: Any, path: Path) -> None:
    count, waiting = 0, [content]
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise UserError(
                f"{path} unfolds to more than {MOST_VALUES} values from {megabytes(path.stat().st_size)}, as no config"
                " does; it was not written by quatrain."
            )
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())


def _folders(run: Path) -> list[Path]:
    return [entry for entry in _entries(run) if entry.is_dir() and not entry.is_symlink()]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} cannot be looked into ({error.strerror}); check its permissions.") from error
