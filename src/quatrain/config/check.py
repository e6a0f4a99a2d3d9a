"""Judging a composed config before any work: every node against its class, then the parts against one another."""

from collections.abc import Iterator
from typing import Any

from quatrain.config.crosschecks import crosschecks
from quatrain.config.nodes import DERIVED, nodes, signature_of, takes
from quatrain.config.signatures import class_exists, classes_beside, model_types
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
    if mistakes:
        raise UserError(mistakes)


def _check_root(config: dict[str, Any]) -> Iterator[str]:
    """The plain values at the top, whose types no class states."""
    for name, kind, allowed in (
        ("seed", int, "a whole number"),
        ("test", bool, "true or false"),
        ("name", str, "a text"),
    ):
        if type(config[name]) is not kind:
            yield f"{name}={_written(config[name])} does not fit; allowed is {allowed}."


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
    if not class_exists(target):
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
