"""Making a config whole and lasting: absolute paths, the hub's commits, nothing that will not be used."""

import os
from pathlib import Path
from typing import Any, Literal

from quatrain.core.errors import UserError
from quatrain.corpora.named import NAMED

Kind = Literal["dataset", "model"]
SOURCES: tuple[tuple[str, str, Kind], ...] = (
    ("data", "source", "dataset"),
    ("tokenizer", "source", "model"),
    ("model", "weights", "model"),
)
"""Where a config names input: group, key, and the kind of the hub's repository."""


def freeze(config: dict[str, Any]) -> dict[str, Any]:
    """Return ``config`` with the paths of its input absolute and every hub name pinned to a commit.

    Raises:
        UserError: with one sentence for each name that the hub does not answer for.
    """
    mistakes = []
    for group, name, kind in SOURCES:
        value = config[group].get(name)
        if not isinstance(value, str):
            continue
        if is_path(value):
            config[group][name] = str(Path(os.path.abspath(Path(value).expanduser())))  # noqa: PTH100 - keeps a glob and a link as they are
        elif pinned := _hub_name(value, kind):
            try:
                config[group]["revision"] = _commit(pinned, kind, config[group].get("revision"), f"{group}.{name}")
            except UserError as error:
                mistakes += error.sentences
    if mistakes:
        raise UserError(mistakes)
    if config["model"].get("weights") and "config" in config["model"]:
        config["model"]["config"] = None  # weights bring their own
    return config


def is_path(value: str) -> bool:
    """Whether a source names something on this machine: a file, a folder or a glob."""
    if "://" in value or value in ("verse", *NAMED):
        return False
    try:
        return any(mark in value for mark in "*?[") or Path(value).expanduser().exists()
    except (OSError, RuntimeError):  # longer than a name can be, or the home of a stranger
        return False


def _hub_name(value: str, kind: Kind) -> str | None:
    from quatrain.corpora.hub import HUB, hub_source, is_hub_name

    if kind == "dataset":
        return hub_source(value)[0] if value.startswith(HUB) else None
    return value if is_hub_name(value) else None


def _commit(name: str, kind: Kind, revision: str | None, key: str) -> str:
    from quatrain.corpora.hub import resolve_commit

    return resolve_commit(name, kind, revision, key)
