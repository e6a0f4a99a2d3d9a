"""Judging a composed config before any work: every node against its class, then the parts against one another."""

from collections.abc import Iterator
from typing import Any

from quatrain.config.confidential import secrets_in
from quatrain.config.crosschecks import crosschecks
from quatrain.config.folder_names import misnamed
from quatrain.config.nodes import DERIVED, nodes, signature_of, takes
from quatrain.config.signatures import classes_beside, model_types, real_name
from quatrain.config.spelling import nearest
from quatrain.config.values import misfit
from quatrain.core.build import may_be_named, refusal
from quatrain.core.errors import UserError


def check(config: dict[str, Any]) -> None:
    """Raise a `UserError` with every mistake of ``config``; no torch is imported and nothing downloaded."""
    mistakes = list(_check_root(config))
    if not mistakes:  # nodes repeat what the root says
        mistakes = [sentence for key, node, _ in nodes(config) for sentence in check_node(key, node)]
    if not mistakes:  # cross-checks read values whose types are right
        mistakes = list(crosschecks(config))
    if mistakes := [*secrets_in(config), *misnamed(config), *mistakes]:
        raise UserError(mistakes)


def _check_root(config: dict[str, Any]) -> Iterator[str]:
    """The values that no class states: those at the top, and of the groups that are plain settings."""
    for key, allowed in PLAIN.items():
        group, _, name = key.rpartition(".")
        place = config.get(group) if group else config
        if not isinstance(place, dict):
            yield f"{group}={_written(place)} does not fit; set {key} and its neighbours one by one."
        elif name in place and not any(_is(place[name], kind) for kind in allowed):
            wanted = " or ".join(WORDS[kind] for kind in allowed)
            yield f"{key}={_written(place[name])} does not fit; allowed is {wanted}."
    for group in ("run", "sweep", "speed"):
        known = [key.rpartition(".")[2] for key in PLAIN if key.startswith(f"{group}.")]
        for name in config[group] if isinstance(config.get(group), dict) else ():
            if name not in known:
                yield f"{group}.{name} is unknown; {group} takes {', '.join(known)}."
    for group in ("callbacks", "logger"):
        entries = config.get(group)
        if not isinstance(entries, dict):
            yield f"{group} is missing; leave it out of the command, or choose {group}={DEFAULT_OPTION[group]}."
            continue
        for name, node in entries.items():
            if node is not None and not (isinstance(node, dict) and "_target_" in node):
                yield f"{group}.{name} names no class; add +{group}.{name}._target_=package.module.Class."


PLAIN: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "seed": (int,),
    "test": (bool,),
    "run.dir": (str, type(None)),
    "run.root": (str,),
    "sweep.name": (str, type(None)),
    "speed.precision": (str, int),
    "speed.attention": (str,),
    "speed.num_workers": (int, str),
    "speed.compile": (bool,),
    "speed.gradient_checkpointing": (bool,),
}
WORDS = {str: "a text", int: "a whole number", bool: "true or false", type(None): "null"}
DEFAULT_OPTION = {"callbacks": "default", "logger": "csv"}


def _is(value: Any, kind: type) -> bool:
    """Whether ``value`` is of ``kind``; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def check_node(key: str, node: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for everything in ``node`` that its class does not take."""
    if "_target_" in node:
        target = str(node["_target_"])
        if sentence := _check_target(key, target):
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
    arguments = takes(key, node, found)
    for name, value in node.items():
        if name in ("_target_", "model_type") or (value is None and key == "model.config" and name in DERIVED):
            continue
        if name not in arguments:
            if not found.open:
                hint = nearest(name, arguments) or f"; it takes {', '.join(arguments)}."
                yield f"{key}.{name} is unknown to {_class_of(node)}{hint}"
        elif not _holds_nodes(value) and (wrong := misfit(arguments[name], value)):
            yield f"{key}.{name}={_written(value)} does not fit; {wrong}."
    for name, argument in arguments.items():
        if argument.required and name not in node and not found.open:
            yield f"{key}.{name} is missing; {_class_of(node)} needs it, so add {key}.{name}=VALUE."


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


def _holds_nodes(value: Any) -> bool:
    """Whether a value is built from nodes, which are judged by themselves."""
    if isinstance(value, dict):
        return "_target_" in value or any(_holds_nodes(item) for item in value.values())
    return isinstance(value, list) and any(_holds_nodes(item) for item in value)


def _written(value: Any) -> str:
    """A value as the command line would have it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)
