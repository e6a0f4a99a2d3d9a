"""Explaining keys: what each does, what it may be, its default, and who said last what it is now."""

import functools
import re
from dataclasses import dataclass, field, replace
from typing import Any

from quatrain.config.composition import Composition
from quatrain.config.describing import Described, describe, plain_says
from quatrain.config.example_values import example
from quatrain.config.flattening import flat
from quatrain.config.nodes import fill_defaults
from quatrain.config.option_files import Option, content, groups, options
from quatrain.config.places import Place, file_shown, holds
from quatrain.config.shape import written
from quatrain.config.yaml_comments import comment, value_text


@dataclass(frozen=True)
class Stated:
    """A value that somebody states, and where."""

    value: str
    where: str
    reason: str = ""


@dataclass(frozen=True)
class Explained:
    """One key of a composed config."""

    key: str
    says: str
    whose: str
    allowed: str
    default: str | None
    stated: list[Stated]
    """The files and the override that state it, in order: the last one holds. What a class states is `default`."""
    value: str
    follows: str | None = None
    """The key that its value is taken from."""
    example: str = ""
    option: str | None = None
    """The option that brings the key, where the experiment has not chosen it."""
    instead: str | None = None
    refused: list[str] = field(default_factory=list)
    """What is wrong with its value, one sentence each."""
    options: list[Option] = field(default_factory=list)
    """Of a group, what may be chosen."""
    holds: list["Explained"] = field(default_factory=list)
    """Of a group, its keys."""


def explain_key(key: str, composed: Composition, option: str | None = None) -> Explained | None:
    """Explain ``key`` of ``composed``, which chose ``option`` to have it; None where there is no such key."""
    described, value = describe(key, composed.config), composed.value(key)
    if described and value is ... and not (described.instead or described.optional):
        return None
    if described is None and key in composed.places and value is not ...:
        last = composed.places[key][-1]
        described = Described(key, comment(last.file, last.line), file_shown(last.file, composed.folders), "")
    if described is None:
        return None
    found = [replace(one, reason="") if one.reason == described.says else one for one in _stated(key, value, composed)]
    refers = re.fullmatch(r"\$\{([\w.]+)\}", found[-1].value if found else "")
    follows = refers[1] if refers else None
    tried = (follows and describe(follows, composed.config)) or described
    return Explained(
        key,
        described.says,
        described.whose,
        described.allowed,
        described.default,
        found,
        "" if value is ... else _plainly(value),
        follows,
        "" if described.instead else example(tried.key, value, tried, option),
        option,
        described.instead,
    )


def explain_group(name: str, composed: Composition) -> Explained | None:
    """Explain the group ``name``: its options, and in short its keys; None where there is no such group."""
    known = groups(composed.folders)
    found = options(name, composed.folders) if name in known else []
    if not found and not isinstance(composed.config.get(name), dict):
        return None
    keys = [key for key in composed.every_key() if key.startswith(f"{name}.") and not _is_holder(key, composed)]
    held = [explained for key in keys if (explained := explain_key(key, composed))]
    chosen = composed.choices.get(name)
    other = next((option.name for option in found if option.name != chosen), None)
    return Explained(
        name,
        known.get(name) or plain_says().get(name, ""),
        "",
        "one of its options" if found else "",
        None,
        [],
        "" if not found else _plainly(chosen),
        example=f"quatrain train {'-m ' if name == 'sweep' else ''}{name}={other}"
        if other
        else (held[0].example if held else ""),
        options=found,
        holds=held,
    )


def option_with(key: str, composed: Composition) -> str | None:
    """The first option (``group=option``) that would bring ``key``; None where none would."""
    for name in (key.partition(".")[0], "sweep"):
        for option in options(name, composed.folders) if name in composed.choices else ():
            if key in keys_of(option, tuple(composed.folders)):
                return f"{name}={option.name}"
    return None


@functools.cache
def keys_of(option: Option, folders: tuple[str, ...]) -> frozenset[str]:
    """Every key that an option brings, those of the classes that it names too; none of what speaks to other groups."""
    if option.group in ("experiment", "debug"):
        return frozenset()
    held = content(option, list(folders))
    held.pop("hydra", None)
    fill_defaults(held)
    return frozenset(key for key, _ in flat(held))


def _plainly(value: Any) -> str:
    """A value as the command line takes it: a text without quotes, where it has any."""
    if isinstance(value, dict) and "_target_" in value:
        return str(value["_target_"])
    return value if isinstance(value, str) and value else written(value)


def _stated(key: str, value: Any, composed: Composition) -> list[Stated]:
    places = list(composed.places.get(key, []))
    given = composed.given(key)
    if given is None:
        while places and not holds(places[-1], value):  # said to another class, and left out
            places.pop()
    found = [_of_place(place, composed.folders) for place in places if place.text is not None or place.line > 1]
    if given is not None:
        found.append(Stated(given.partition("=")[2] or _plainly(value), f"the command line: {given.removeprefix('+')}"))
    return found


def _of_place(place: Place, folders: list[str]) -> Stated:
    text = place.text if place.text is not None else value_text(place.file, place.line)
    shown = value_text(place.file, place.line) if text else text
    return Stated(
        shown or text or "...",
        f"{file_shown(place.file, folders)}:{place.line}",
        comment(place.file, place.line),
    )


def _is_holder(key: str, composed: Composition) -> bool:
    """Whether a key only holds others, or names the class of those beside it."""
    value = composed.value(key)
    return (isinstance(value, dict) and bool(value)) or (key.endswith("._target_") and key.count(".") > 1)
