"""Judging one override of a single value: does the composed config, or the class of its node, have such a key?"""

from typing import Any

from hydra.core.override_parser.types import Override

from quatrain.config.nodes import DERIVED, is_model_config, nodes, signature_of, supplied, takes
from quatrain.config.plain_settings import SEVERAL
from quatrain.config.search_checks import unknown_outside
from quatrain.config.spelling import deeper, nearest


def judge(text: str, override: Override, config: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the override as Hydra is to have it, or what is wrong with it; the other is None."""
    key = override.key_or_group
    if override.is_add() or override.is_force_add():
        return text, None
    parts = key.split(".")
    node, depth = _deepest(config, parts)
    if override.is_delete() and depth < len(parts):
        return (
            None,
            f"{text}: there is no key {key}{_hint(key, '.'.join(parts[:depth]), parts[depth], [*node], config)}",
        )
    if override.is_delete():
        return text, None
    if depth == len(parts) and not _is_supplied(parts):
        return text, None
    place = ".".join(parts[:depth])
    if depth == len(parts):
        place, depth = ".".join(parts[:-1]), depth - 1
    if parts[depth] in supplied(place):
        return None, f"{text}: {place}.{parts[depth]} is set by the run itself; {supplied(place)[parts[depth]]}."
    found = signature_of(node) if "_target_" in node or is_model_config(place, node) else None
    arguments = takes(place, node, found) if found else {}
    inside_null = depth > 0 and depth < len(parts) and _is_null(config, parts[: depth + 1])
    if parts[depth] in arguments or parts[depth] in (DERIVED if is_model_config(place, node) else ()) or inside_null:
        return f"++{text}", None
    if found and found.open and "_target_" in node and not nearest(parts[depth], arguments, alike=0.8):
        return f"++{text}", None  # the class takes further arguments under names of its own
    return (
        None,
        f"{text}: there is no key {key}{_hint(key, place, parts[depth], [*map(str, node), *arguments], config)}",
    )


def _hint(key: str, place: str, name: str, names: list[str], config: dict[str, Any]) -> str:
    if place == "sweep" and (instead := unknown_outside(name)):
        return f"; it {instead}."
    if place in SEVERAL:
        return f"; to add one write +{place}.{name}._target_=CLASS."
    known = sorted({*names} - {"_target_", "hydra"})
    inside = deeper(place, name, _keys(config))
    only = f"; did you mean {inside[0]}?" if len(inside) == 1 else ""
    if place and only:
        return only
    near = nearest(key, _keys(config)) if not place and "." in key else nearest(name, known)
    if near and place:
        near = near.replace("mean ", f"mean {place}.")
    elif not near and not place:
        near = only or nearest(key, _keys(config))
    return near or f"; {place or 'an experiment'} takes {', '.join(known) or 'no further keys'}."


def _is_supplied(parts: list[str]) -> bool:
    return parts[-1] in supplied(".".join(parts[:-1]))


def _deepest(config: dict[str, Any], parts: list[str]) -> tuple[dict[str, Any], int]:
    """The innermost mapping on the way to a key, and how many parts of the key lie above what it holds."""
    node: Any = config
    for depth, part in enumerate(parts):
        if part not in node:
            return node, depth
        if depth + 1 < len(parts) and not isinstance(node[part], dict):
            return node, depth
        node = node[part]
    return config, len(parts)


def _is_null(config: dict[str, Any], parts: list[str]) -> bool:
    node: Any = config
    for part in parts:
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return node is None


def _keys(config: dict[str, Any]) -> list[str]:
    keys = [str(name) for name in config if name != "hydra"]
    for key, node, found in nodes({name: value for name, value in config.items() if name != "hydra"}):
        keys += [f"{key}.{name}" for name in (takes(key, node, found) if found else node)]
    return keys
