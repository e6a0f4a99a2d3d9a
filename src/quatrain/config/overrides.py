"""Reading the overrides of a command line: all mistakes at once, and the arguments that no YAML lists.

Hydra tells the first mistake only, and refuses a key that the YAML does not hold. Here every override is judged against
the composed groups and the classes that they name; an argument that only a signature holds is marked ``++`` for Hydra.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.types import Override

from quatrain.config.choices import Choices
from quatrain.config.hydra_settings import hydra_refusal, launcher_refusal, unsafe_settings
from quatrain.config.leaves import judge
from quatrain.config.spelling import nearest
from quatrain.config.swept_values import interval_mistake, sweep_mistake
from quatrain.core.errors import UserError
from quatrain.sweeps.search_settings import is_search


@dataclass
class Examined:
    """What a command line says: overrides as Hydra takes them, and what is wrong with the others."""

    accepted: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    swept: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    """What the chosen groups hold, unresolved and before single values are set, Hydra's own part with them."""
    composed: Any = None
    """What Hydra made of them, where nothing else is said; else None."""


def is_override(word: str) -> bool:
    """Whether ``word`` of a command line is an override, not the name of a group or a key."""
    return "=" in word or word.startswith(("+", "~"))


def examine(texts: list[str], search_path: list[str]) -> Examined:
    """Judge every override of ``texts``; ``search_path`` holds the users' own config folders (absolute).

    Must run inside `quatrain.config.compose.hydra_at`.
    """
    from quatrain.config.compose import searched

    examined = Examined()
    choices = Choices(search_path)
    chosen: list[str] = []
    leaves: list[tuple[str, Override]] = []
    intervals: list[str] = []
    for text in texts:
        override = _parse(text, examined)
        if override is None:
            continue
        key = override.key_or_group
        wrong = hydra_refusal(text, override) or sweep_mistake(text, override, choices)
        if wrong:
            examined.mistakes.append(wrong)
        elif choices.is_group(override):
            found = choices.judge(text, override)
            examined.mistakes += found.mistakes
            if found.choice:
                chosen.append(found.choice)
                examined.accepted.append(text if override.is_sweep_override() else found.choice)
        else:
            intervals += _listed(interval_mistake(text, override))
            leaves.append((text, override))
        if override.is_sweep_override():
            examined.swept.append(key)
    examined.mistakes += _given_twice(texts, examined.swept)
    _judge_leaves(leaves, [*searched(search_path), *chosen], examined)
    if not is_search(examined.config.get("sweep") or {}):
        examined.mistakes += intervals
    order = {text: place for place, text in enumerate(texts)}
    examined.accepted.sort(key=lambda text: order.get(text, order.get(text.removeprefix("++"), 0)))
    return examined


def _given_twice(texts: list[str], swept: list[str]) -> Iterable[str]:
    """Of two values for one key Hydra takes the last, which would end a sweep without a word."""
    for key in dict.fromkeys(swept):
        given = [text for text in texts if text.lstrip("+").split("=")[0] == key]
        if len(given) > 1:
            yield f"{' and '.join(given)} give {key} twice; leave out one of them."


def _parse(text: str, examined: Examined) -> Override | None:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        override: Override = OverridesParser.create().parse_overrides([text])[0]
        if override.key_or_group:
            return override
        raise ValueError("no key")
    except (HydraException, ValueError, TypeError, ArithmeticError, RecursionError):
        key = text.split("=")[0]
        keyed = bool(key.strip("+~")) and "=" in text
        hint = f"quote the value, as in \"{key}='...'\"" if keyed else f"write NAME=VALUE{_meant(text)}"
        examined.mistakes.append(f"{text}: cannot be read as an override; {hint}.")
        return None


def _meant(word: str) -> str:
    """A bare word is mostly an option whose group was left out, or a file of data whose key was."""
    from quatrain.config.folder import conf_folder

    found = sorted(conf_folder().glob(f"*/{word}.yaml")) if word.isidentifier() else []
    if found:
        return f", as in {found[0].parent.name}={word}"
    return f", as in data.source={word}" if word and os.path.lexists(word) else ""


def _judge_leaves(leaves: list[tuple[str, Override]], chosen: list[str], examined: Examined) -> None:
    from omegaconf import OmegaConf

    from quatrain.config.compose import hydra_composed

    try:
        composed = hydra_composed(chosen, return_hydra_config=True)
        config: dict[str, Any] = OmegaConf.to_container(composed, resolve=False)  # type: ignore[assignment]
    except UserError as error:
        examined.mistakes += error.sentences
        return
    examined.config = config
    if not leaves and not examined.swept:
        examined.composed = composed
    examined.mistakes += unsafe_settings(config)
    for _, override in leaves:  # a class that is named on the command line brings its own arguments
        if override.key_or_group.endswith(("._target_", ".model_type")) and not override.is_sweep_override():
            _put(config, override.key_or_group.split("."), override.value())
    unknown = {sentence.split("=")[0] for sentence in examined.mistakes}
    for text, override in leaves:
        top = override.key_or_group.split(".")[0]
        if top in unknown or (
            top == "hydra" and "hydra/launcher" in unknown
        ):  # what a misspelled option takes cannot be told
            continue
        if (override.is_add() or override.is_force_add()) and top not in config:
            groups = [str(name) for name in config if name != "hydra"]
            hint = nearest(top, groups) or f"; it takes {', '.join(groups)}."
            examined.mistakes.append(f"{text}: there is no {top} in an experiment{hint}")
            continue
        if refused := launcher_refusal(text, override, config):
            examined.mistakes.append(refused)
            continue
        accepted, mistake = judge(text, override, config)
        examined.accepted += _listed(accepted)
        examined.mistakes += _listed(mistake)


def _listed(text: str | None) -> Iterable[str]:
    return [] if text is None else [text]


def _put(config: dict[str, Any], parts: list[str], value: Any) -> None:
    node: Any = config
    for part in parts[:-1]:
        node = node.get(part)
        if not isinstance(node, dict):
            return
    if parts[-1] in node:
        node[parts[-1]] = value
