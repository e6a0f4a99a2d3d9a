"""A composed config with where it comes from: the chosen options, the files that state each value, the command line."""

from dataclasses import dataclass
from typing import Any

from quatrain.config.compose import compose_examined, resolve
from quatrain.config.flattening import flat
from quatrain.config.nodes import fill_defaults
from quatrain.config.overrides import examine
from quatrain.config.places import Place, stated
from quatrain.core.errors import UserError


@dataclass(frozen=True)
class Composition:
    """What ``overrides`` and the files of ``folders`` come to, every default filled in, nothing checked."""

    overrides: list[str]
    folders: list[str]
    config: dict[str, Any]
    choices: dict[str, Any]
    """The chosen option of each group."""
    places: dict[str, list[Place]]

    def every_key(self) -> list[str]:
        """All keys, those that hold others too."""
        return [key for key, _ in flat(self.config)]

    def value(self, key: str) -> Any:
        """The value of ``key``; ... where there is none."""
        node: Any = self.config
        for part in key.split("."):
            if not isinstance(node, dict) or part not in node:
                return ...
            node = node[part]
        return node

    def given(self, key: str) -> str | None:
        """The override that sets ``key``, or what holds it; None where none does."""
        found = None
        for text in self.overrides:
            name = text.lstrip("+~").partition("=")[0]
            if "." in name or name not in self.choices:
                found = text.lstrip("+") if key == name or key.startswith(f"{name}.") else found
        return found


def composition(overrides: list[str], folders: list[str]) -> Composition:
    """Compose ``overrides``; must run inside `quatrain.config.compose.hydra_at`.

    Raises:
        UserError: with every override that cannot be meant.
    """
    examined = examine(overrides, folders)
    if examined.mistakes:
        raise UserError(examined.mistakes)
    if examined.swept:
        raise UserError(f"{examined.swept[0]} has several values; give one to see what it comes to.")
    choices = dict(examined.config["hydra"]["runtime"]["choices"])
    config = resolve(compose_examined(examined, folders))
    fill_defaults(config)
    places = stated(examined.accepted, folders)
    return Composition(examined.accepted, folders, config, choices, places)
