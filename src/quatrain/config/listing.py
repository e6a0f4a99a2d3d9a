"""What there is to choose from: groups and options, which are chosen, and what an experiment is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quatrain.config.compose import hydra_at, own_folders
from quatrain.config.composition import composition
from quatrain.config.flattening import flat
from quatrain.config.folder import conf_folder
from quatrain.config.launchers import missing
from quatrain.config.option_files import Option, chosen_groups, content, groups, options
from quatrain.config.places import file_shown
from quatrain.config.plain_settings import default_options
from quatrain.config.shape import written
from quatrain.config.spelling import nearest
from quatrain.core.errors import UserError

MADE_OF = ("data", "tokenizer", "model", "trainer")


@dataclass(frozen=True)
class Listed:
    """An option of a group."""

    name: str
    says: str
    chosen: bool
    file: str | None
    own: bool
    """Whether it lies in the user's folder."""
    needs: str | None
    """What has to be installed first; None where nothing has."""
    made_of: dict[str, str] = field(default_factory=dict)
    """Of an experiment: its data, tokenizer, model and trainer."""
    sets: dict[str, str] = field(default_factory=dict)
    """The values that its file states, but those that it takes from other keys."""


@dataclass(frozen=True)
class ListedGroup:
    """A group with its options."""

    name: str
    says: str
    chosen: str
    options: list[Listed]


def listed(words: list[str], config_dir: str | Path | None = None) -> list[ListedGroup]:
    """The groups that ``words`` name (all where they name none), as chosen by those of them that are overrides.

    Raises:
        UserError: with every word that is neither.
    """
    overrides = [word for word in words if "=" in word or word.startswith(("+", "~"))]
    names = [word for word in words if word not in overrides]
    folders = own_folders(config_dir)
    known = groups(folders)
    unknown = [_unknown(name, known, folders) for name in names if name not in known]
    if unknown:
        raise UserError(unknown)
    with hydra_at(conf_folder()):
        chosen = composition(overrides, folders).choices
        return [_group(name, known[name], chosen.get(name), folders) for name in names or known]


def _group(name: str, says: str, chosen: Any, folders: list[str]) -> ListedGroup:
    names = [str(one) for one in chosen] if isinstance(chosen, list) else [str(chosen)]
    found = [_option(option, option.name in names, folders) for option in options(name, folders)]
    return ListedGroup(name, says, written(chosen) if isinstance(chosen, list) else str(chosen or "none"), found)


def _option(option: Option, chosen: bool, folders: list[str]) -> Listed:
    made_of = {}
    if option.group == "experiment":
        choices = {**default_options(), **chosen_groups(option, folders)}
        made_of = {name: str(choices[name]) for name in MADE_OF}
    return Listed(
        option.name,
        option.says,
        chosen,
        file_shown(option.file, folders) if option.file else None,
        option.own,
        missing(option.name) if option.group == "hydra/launcher" else None,
        made_of,
        sets(option, folders),
    )


def sets(option: Option, folders: list[str]) -> dict[str, str]:
    """The values that ``option`` states, as the command line would have them; not what it takes from other keys."""
    held = content(option, folders)
    return {
        key: value if isinstance(value, str) and value else written(value)
        for key, value in flat(held)
        if not isinstance(value, dict) and not str(value).startswith("${") and not key.endswith("._target_")
    }


def _unknown(name: str, known: dict[str, str], folders: list[str]) -> str:
    owners = [group for group in known if name in [option.name for option in options(group, folders)]]
    if owners:
        return f"{name} is no group but an option of {owners[0]}; quatrain list {owners[0]} tells what it is."
    return f"{name}: there is no such group{nearest(name, known) or f'; one of {chr(44).join(known)}.'}"
