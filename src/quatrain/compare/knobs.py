"""What differs between groups: settings that always change together are one knob, and each has a short name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quatrain.compare.results import LARGEST, canonical
from quatrain.core.terminal import one_line

NAME = "name"
SHOWN_TOGETHER = 3
"""Of settings that change together, so many have a column each; of more, one stands for all."""

FEW_GROUPS = 5
"""From so many groups on it is no chance that two knobs that were sampled have their values in the same order."""

MISSING = "—"
_TARGET = "._target_"


@dataclass(frozen=True)
class Knob:
    """Settings that take one value for each value of the others.

    ``levels`` has for each group the number of its value; ``values`` are the values of ``keys[0]`` for each group,
    None where it has no such setting. ``columns`` are the keys that are shown.
    """

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    levels: tuple[int, ...]
    values: tuple[Any, ...]

    @property
    def hidden(self) -> int:
        """How many settings change with it and are not shown."""
        return len(self.keys) - len(self.columns)

    @property
    def numbers(self) -> list[float] | None:
        """Its value for each group, where all of them are numbers."""
        return [float(value) for value in self.values] if _are_numbers(self.values) else None


def knobs_of(settings: Sequence[Mapping[str, Any]]) -> tuple[list[Knob], list[str]]:
    """Return the knobs of groups with these ``settings``, and the keys that the experiment's name decides.

    Two experiments differ in a hundred settings of which their name tells; these are no knobs.
    """
    varying: dict[str, tuple[int, ...]] = {}
    for key in sorted({key for one in settings for key in one}):
        levels = _numbered([canonical(one[key]) if key in one else None for one in settings])
        if len(set(levels)) > 1:
            varying[key] = levels
    name = varying.get(NAME)
    decided = [key for key, levels in varying.items() if name is not None and levels != name and _decides(name, levels)]
    together: dict[Any, list[str]] = {}
    for key, levels in varying.items():
        if key not in decided:
            apart = () if levels == name else _order([one.get(key) for one in settings], levels)
            together.setdefault((levels, apart), []).append(key)
    knobs = [_knob(keys, levels, settings) for (levels, _), keys in together.items()]
    return sorted(knobs, key=lambda knob: (NAME not in knob.keys, knob.keys[0])), decided


def _knob(keys: Sequence[str], levels: tuple[int, ...], settings: Sequence[Mapping[str, Any]]) -> Knob:
    ordered = sorted(keys, key=lambda key: (key != NAME, key.count("."), key))
    columns = tuple(sorted(keys)) if len(keys) <= SHOWN_TOGETHER else (ordered[0],)
    keys = [*columns, *(key for key in ordered if key not in columns)]
    return Knob(tuple(keys), columns, levels, tuple(one.get(keys[0]) for one in settings))


def _decides(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether each level of ``one`` has a single level of ``other``."""
    return len(set(zip(one, other, strict=True))) == len(set(one))


def _order(values: Sequence[Any], levels: Sequence[int]) -> tuple[int, ...]:
    """What tells apart two settings that have another value in every group, as all have that a search samples.

    Of numbers their order, up or down; nothing for others, for few groups, and where values come again.
    """
    if len(set(levels)) < max(len(levels), FEW_GROUPS) or not _are_numbers(values):
        return ()
    order = tuple(sorted(range(len(values)), key=values.__getitem__))
    return min(order, order[::-1])


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The shortest last part of each key that no other of ``keys`` ends in; of a class, the key of its part."""
    plain = {key: key.removesuffix(_TARGET) for key in keys}
    return {key: _short(name, [other for one, other in plain.items() if one != key]) for key, name in plain.items()}


def shown_values(key: str, values: Sequence[Any]) -> list[str]:
    """``values`` of the setting ``key`` as short as they can be told apart, each on one line."""
    texts = [_plain(value) for value in values]
    for shorten in (_of_class if key.endswith(_TARGET) else _briefly, _to_six_digits):
        short = [shorten(value, text) for value, text in zip(values, texts, strict=True)]
        if len(set(zip(short, texts, strict=True))) == len(set(short)):
            return short
    return texts


def _short(name: str, others: Sequence[str]) -> str:
    parts = name.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if not any(other == end or other.endswith(f".{end}") for other in others):
            return one_line(end)
    return one_line(name)


def _plain(value: Any) -> str:
    return one_line(value if isinstance(value, str) else canonical(value))


def _of_class(value: Any, text: str) -> str:
    return text.rpartition(".")[2]


def _briefly(value: Any, text: str) -> str:
    """A float in four digits; of a path its last part."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return text.rstrip("/").rpartition("/")[2] if isinstance(value, str) else text


def _to_six_digits(value: Any, text: str) -> str:
    return f"{value:.6g}" if isinstance(value, float) else text


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(type(value) in (int, float) and abs(value) < LARGEST for value in values)


def _numbered(texts: Sequence[str | None]) -> tuple[int, ...]:
    """Equal texts by the number of the first of them."""
    seen: dict[str | None, int] = {}
    return tuple(seen.setdefault(text, len(seen)) for text in texts)
