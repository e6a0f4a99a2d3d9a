"""Groups and their options as files have them: what each is, and what it holds, without composing anything."""

import functools
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.config.flattening import merged
from quatrain.config.folder import conf_folder
from quatrain.config.own_files import shown
from quatrain.config.plain_settings import default_options
from quatrain.config.yaml_comments import comment, header

GLOBAL = "# @package _global_"
HYDRAS = ("hydra/launcher", "hydra/sweeper")
BUILT_IN = {
    "hydra/launcher": {"local": "Jobs side by side on this machine, sweep.jobs at a time, each in a fresh process."},
    "hydra/sweeper": {
        "quatrain": "A job for each combination of the values; all are checked before the first starts.",
        "quatrain_optuna": "Trials that Optuna suggests; sweep=optuna chooses it by itself.",
    },
}
"""Options that are no files: those of our plugins, which Hydra finds by themselves."""


@dataclass(frozen=True)
class Option:
    """One option of a group: what its file says first, and the file; None for what is built in."""

    group: str
    name: str
    says: str
    file: Path | None
    own: bool = False
    """Whether it lies in a user's folder."""


def groups(folders: list[str]) -> dict[str, str]:
    """Every group with what it is for: those of an experiment, Hydra's that may be chosen, and those of ``folders``."""
    found = dict(_shipped_groups())
    for folder in map(Path, folders):
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and entry.name != "hydra" and any(entry.rglob("*.yaml")):
                found.setdefault(entry.name, f"a group of your own, in {shown(str(entry))}: +{entry.name}=OPTION")
    return found


def options(group: str, folders: list[str]) -> list[Option]:
    """The options of ``group`` in the order of their names, the shipped ones first."""
    found = {name: Option(group, name, says, None) for name, says in BUILT_IN.get(group, {}).items()}
    for own, folder in [(False, conf_folder()), *((True, Path(one)) for one in folders)]:
        for file in sorted((folder / group).rglob("*.yaml")):
            name = file.relative_to(folder / group).with_suffix("").as_posix()
            found.setdefault(name, Option(group, name, header(file), file, own))
    return list(found.values())


def content(option: Option, folders: list[str]) -> dict[str, Any]:
    """What ``option`` puts into a config, interpolations as they are written, with the options that it builds on."""
    held = deepcopy(_content(option.file)) if option.file else {}
    held.pop("defaults", None)
    whole: dict[str, Any] = {}
    for entry in _built_on(option):
        if other := _beside(option, entry, folders):
            whole = merged(whole, content(other, folders))
    return merged(whole, held if option.file and is_global(option.file) else _under(option.group, held))


def chosen_groups(option: Option, folders: list[str]) -> dict[str, Any]:
    """The option of each group that ``option``, an experiment, chooses, or those that it builds on."""
    chosen: dict[str, Any] = {}
    for entry in _built_on(option):
        if isinstance(entry, dict):
            chosen |= {str(name).removeprefix("override ").lstrip("/"): choice for name, choice in entry.items()}
        elif other := _beside(option, entry, folders):
            chosen |= chosen_groups(other, folders)
    return chosen


def is_global(file: Path) -> bool:
    """Whether a file speaks to the whole config rather than to its group."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return next(lines, "").strip() == GLOBAL


def _built_on(option: Option) -> list[Any]:
    entries = _content(option.file).get("defaults") if option.file else None
    return entries if isinstance(entries, list) else []


def _beside(option: Option, name: Any, folders: list[str]) -> Option | None:
    """The option of the same group that ``name`` in the defaults of ``option`` means."""
    if name in (option.name, "_self_"):
        return None
    return next((one for one in options(option.group, folders) if one.name == str(name).rpartition("/")[2]), None)


def _under(group: str, held: dict[str, Any]) -> dict[str, Any]:
    for name in reversed(group.split("/")):
        held = {name: held}
    return held


@functools.cache
def _content(file: Path) -> dict[str, Any]:
    import yaml

    try:
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


@functools.cache
def _shipped_groups() -> dict[str, str]:
    return {name: comment(conf_folder() / "config.yaml", line) for name, line in _group_lines()}


def _group_lines() -> Iterator[tuple[str, int]]:
    """Where conf/config.yaml lists each group."""
    lines = (conf_folder() / "config.yaml").read_text(encoding="utf-8").splitlines()
    for name in [*default_options(), *HYDRAS]:
        starts = (f"- {name}:", f"- override {name}:")
        yield name, next((at for at, line in enumerate(lines, 1) if line.strip().startswith(starts)), 0)
