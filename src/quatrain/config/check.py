"""Judging a composed config before any work: every node against its class, then the parts against one another."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from quatrain.config.confidential import secrets_in
from quatrain.config.crosschecks import crosschecks, kinds
from quatrain.config.folder_names import misnamed
from quatrain.config.nodes import DERIVED, fill_defaults, nodes, signature_of, supplied, takes
from quatrain.config.plain_settings import check_settings
from quatrain.config.ranges import check_ranges
from quatrain.config.shape import check_shape, written
from quatrain.config.spelling import nearest
from quatrain.config.values import misfit
from quatrain.core.build import may_be_named, refusal
from quatrain.core.errors import UserError
from quatrain.core.signatures import Argument, classes_beside, model_types, real_name

BESIDES = {"data.num_workers": "auto", "trainer.deterministic": "warn"}
"""A word that fits besides what the annotation tells: for the run to choose, or told by a name of Lightning's own."""


def check(config: Any) -> None:
    """Judge a config, composed or read back from a run directory; it is not changed.

    No torch is imported and nothing downloaded. Whatever ``config`` holds, it is refused by sentences only.

    Raises:
        UserError: with every mistake: groups and plain settings, each node against its class, ranges, and the parts
            against one another as far as they are sound by themselves. One that is no plain mapping is told as that.
    """
    mistakes = list(check_shape(config))
    if not mistakes:
        mistakes = [*secrets_in(config), *misnamed(config), *check_settings(config)]
        mistakes += kinds(_sound(config, mistakes))
        sound = _sound(config, mistakes)
        mistakes += [sentence for key, node, _ in nodes(sound) for sentence in check_node(key, node)]
        mistakes += check_ranges(sound)
        mistakes += crosschecks(_sound(config, mistakes))
    if mistakes:
        raise UserError(dict.fromkeys(mistakes))


def _sound(config: dict[str, Any], mistakes: list[str]) -> dict[str, Any]:
    """A copy, made whole, of the groups that no sentence of ``mistakes`` begins with."""
    broken = {re.split(r"[^\w]", sentence)[0] for sentence in mistakes}
    whole = deepcopy({name: value for name, value in config.items() if name not in broken})
    fill_defaults(whole)
    return whole


def check_node(key: str, node: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for everything in ``node`` that its class does not take."""
    if "_target_" in node:
        if sentence := _check_target(key, str(node["_target_"])):
            yield sentence
            return
    elif node["model_type"] not in model_types():
        yield (
            f"{key}.model_type={node['model_type']}: transformers knows no such model type"
            f"{nearest(node['model_type'], model_types()) or '; see the list of models in its documentation.'}"
        )
        return
    found = signature_of(node)
    if found is None:
        return
    arguments, own = takes(key, node, found), supplied(key)
    for name, value in node.items():
        if name in ("_target_", "model_type") or (value is None and key == "model.config" and name in DERIVED):
            continue
        if name in own:
            yield f"{key}.{name} is set by the run itself; {own[name]}."
        elif name not in arguments:
            hint = nearest(str(name), arguments, alike=0.8 if found.open else 0.6)
            if hint or not found.open:
                yield f"{key}.{name} is unknown to {_class_of(node)}{hint or f'; it takes {_listed(arguments)}.'}"
        elif not _holds_nodes(value) and (wrong := _misfit(f"{key}.{name}", arguments[name], value)):
            fix = _as_list(f"{key}.{name}", arguments[name], value)
            yield f"{key}.{name}={written(value)} does not fit; {wrong}{fix}."
    for name, argument in arguments.items():
        if argument.required and name not in node and not found.open:
            yield f"{key}.{name} is missing; {_class_of(node)} needs it, so add {key}.{name}=VALUE."


def _misfit(key: str, argument: Argument, value: Any) -> str | None:
    word = BESIDES.get(key)
    wrong = None if value == word and word else misfit(argument, value)
    return f"{wrong} or {word}" if wrong and word else wrong


def _as_list(key: str, argument: Argument, value: Any) -> str:
    """How one value is written where a list is wanted, and the brackets were left out."""
    listed = isinstance(value, str | int | float) and misfit(argument, [value]) is None
    return f"; write {key}=[{value}]" if listed else ""


def _check_target(key: str, target: str) -> str | None:
    if not may_be_named(target):
        return refusal(f"{key}._target_", target)
    real = real_name(target)
    if real is not None and not may_be_named(real):
        return refusal(f"{key}._target_", target, real)
    if real is None:
        hint = nearest(target, classes_beside(target)) or "; check the spelling and what is installed."
        return f"{key}._target_={target}: there is no such class{hint}"
    return None


def _class_of(node: dict[str, Any]) -> str:
    return str(node.get("_target_", f"the configuration of {node.get('model_type')}"))


def _listed(arguments: dict[str, Any]) -> str:
    return ", ".join(arguments) or "no arguments"


def _holds_nodes(value: Any) -> bool:
    """Whether a value is built from nodes, which are judged by themselves."""
    if isinstance(value, dict):
        return "_target_" in value or any(_holds_nodes(item) for item in value.values())
    return isinstance(value, list) and any(_holds_nodes(item) for item in value)
