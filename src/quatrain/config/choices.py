"""Choices of options: ``model=tiny_bert``, ``callbacks=[default,early_stopping]``, ``experiment=nlp/mine``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Glob, Override

from quatrain.config.folder import conf_folder
from quatrain.config.plain_settings import default_options
from quatrain.config.spelling import nearest


@dataclass
class Judged:
    """The choice to compose with (of a sweep the first; empty for none at all), or what is wrong."""

    choice: str | None = None
    mistakes: list[str] = field(default_factory=list)


class Choices:
    """The groups and options of the shipped folder and of the users' own, ``search_path``."""

    def __init__(self, search_path: list[str]) -> None:
        from hydra.core.global_hydra import GlobalHydra

        from quatrain.config.compose import searched

        self._folders = [Path(path) for path in search_path]
        self._first = searched(search_path)
        self._loader: Any = GlobalHydra.instance().config_loader()
        self._groups_of_an_experiment = set(default_options())
        self._by_default = {name for name, option in default_options().items() if option is not None}
        own = {entry.name for folder in self._folders for entry in folder.iterdir() if entry.is_dir()}
        self.groups = {*self._loader.list_groups(""), *own}

    def is_group(self, override: Override) -> bool:
        """Whether ``override`` chooses an option rather than setting a value."""
        return override.key_or_group in self.groups or "/" in override.key_or_group

    def options(self, group: str) -> list[str]:
        """The options of ``group``, those in folders of their own (``nlp/mine``) too."""
        found = list(self._loader.get_group_options(group, config_name="config", overrides=self._first))
        for folder in (conf_folder() / group, *(own / group for own in self._folders)):
            for path in folder.glob("*/**/*.yaml"):
                found.append(path.relative_to(folder).with_suffix("").as_posix())
        return sorted(set(found))

    def judge(self, text: str, override: Override) -> Judged:
        """Judge every option that ``override`` names."""
        group = override.key_or_group
        options = self.options(group)
        if not options:
            return Judged(mistakes=[f"{text}: there is no group {group}{nearest(group, self.groups) or '.'}"])
        if instead := self._no_choice(text, override):
            return Judged(mistakes=[f"{text}: {instead}."])
        if override.is_delete() or group not in (*self._groups_of_an_experiment, "hydra/launcher"):
            return Judged(text)
        wrong = []
        values = self.chosen(override)
        for value in values:
            for option in value if isinstance(value, list) else [value]:
                if option is not None and option not in options:
                    hint = nearest(str(option), options) or "."
                    wrong.append(f"{group}={option}: there is no such {group}; one of {', '.join(options)}{hint}")
                wrong += self._hidden(group, option)
        return Judged(mistakes=wrong) if wrong or not values else Judged(self._as_hydra_takes_it(group, values[0]))

    def _no_choice(self, text: str, override: Override) -> str | None:
        """What to write instead, where Hydra's grammar allows more than an experiment has room for."""
        group, value = override.key_or_group, text.partition("=")[2]
        top, _, inner = group.partition("/")
        if override.package is not None:
            return f"an option of {group} stays under {group}; write {group}={value or 'OPTION'}"
        if top in self._groups_of_an_experiment and inner:
            return f"write {top}={inner}/{value or 'OPTION'}"
        added = override.is_add() or override.is_force_add()
        if group in self._groups_of_an_experiment:
            return f"an experiment has {group} already; write {group}={value}" if added else None
        if group.startswith("hydra/") or added or override.is_delete():
            return None
        return f"{group} is a group of your own; write +{group}={value}"

    def _as_hydra_takes_it(self, group: str, value: Any) -> str:
        """Hydra knows no null as a choice: a group that has an option by default is taken out instead."""
        if value is not None:
            return f"{group}={_written(value)}"
        return f"~{group}" if group in self._by_default else ""

    def chosen(self, override: Override) -> list[Any]:
        """Every value that a choice takes, a glob's among the options; a list where several are chosen at once."""
        value: Any = override.value()
        if isinstance(value, Glob):
            return list(value.filter(self.options(override.key_or_group)))
        values = list(override.sweep_iterator()) if override.is_sweep_override() else [value]
        return [_plain(value) for value in values]

    def _hidden(self, group: str, option: Any) -> list[str]:
        shipped = conf_folder() / group / f"{option}.yaml"
        return [
            f"{group}={option}: {folder.name}/{group}/{option}.yaml is never read, for the shipped option of that name"
            f" comes first; give yours another name."
            for folder in self._folders
            if (folder / group / f"{option}.yaml").is_file() and shipped.is_file()
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if value is None or str(value) in ("null", "None") else str(value)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(value)}]"
    return str(value)
