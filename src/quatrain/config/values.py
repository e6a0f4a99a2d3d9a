"""Whether a value fits an annotation, strictly: ``"3"`` is no integer, ``yes`` no boolean, ``True`` no number."""

import ast
import functools
import json
import operator
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from quatrain.core.signatures import Argument

_PLAIN: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "None": None,
    "Path": Path,
    "PathLike": Path,
    "timedelta": timedelta,
    "dict": dict,
    "Mapping": dict,
    "list": list,
    "Sequence": list,
    "Iterable": list,
    "tuple": tuple,
}
_UNKNOWN = object()
OTHER = "another kind of value"


def misfit(argument: Argument, value: Any) -> str | None:
    """Return what is wrong with ``value`` for ``argument`` as half a sentence, or None where it fits.

    Names that only the class's own module knows (Tensor, Logger, ...) are left out of unions; where nothing is left,
    any value fits.
    """
    hint = _hint(argument.annotation)
    if hint is _UNKNOWN:
        return None
    from pydantic import ValidationError

    try:
        _adapter(_Key(hint)).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return f"allowed is {_in_words(hint)}"
    return None


def in_words(argument: Argument) -> str:
    """What ``argument`` may be, as a user would say it; the annotation itself where only its own module knows it."""
    hint = _hint(argument.annotation)
    return argument.written if hint is _UNKNOWN else _in_words(hint)


def words_of(argument: Argument) -> tuple[Any, ...]:
    """The values that ``argument`` may be, where its annotation lists some."""
    hint = _hint(argument.annotation)
    found: list[Any] = []
    for inside in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        found += get_args(inside) if get_origin(inside) is Literal else ()
    return tuple(found)


def as_annotated(argument: Argument, value: Any) -> Any:
    """Return ``value``, which fits ``argument``, with whole numbers as floats where only floats are meant."""
    hint = _hint(argument.annotation)
    return value if hint is _UNKNOWN else _floats(hint, value)


def _floats(hint: Any, value: Any) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if isinstance(value, int) and not isinstance(value, bool):
        kinds = inside if origin in (Union, UnionType) else (hint,)
        return float(value) if float in kinds and int not in kinds else value
    if isinstance(value, list):
        if origin in (Union, UnionType):
            lists = [item for item in inside if get_origin(item) in (list, tuple)]
            return _floats(lists[0], value) if len(lists) == 1 else value
        if origin is list or (origin is tuple and Ellipsis in inside):
            return [_floats(inside[0], item) for item in value]
        if origin is tuple and len(inside) == len(value):
            return [_floats(kind, item) for kind, item in zip(inside, value, strict=True)]
    return value


def _in_words(hint: Any) -> str:
    """A hint as a user would say it: ``float | None`` is "a number or null"."""
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
    if hint is None or hint is type(None):
        return "null"
    if hint in words:
        return words[hint]
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        words_of_each = {_in_words(item) for item in inside} - {OTHER}
        return " or ".join(sorted(words_of_each, key=_place)) or OTHER  # typing has forgotten their order
    if origin is Literal:
        return ", ".join(map(str, inside)) if len(inside) == 1 else "one of " + ", ".join(map(str, inside))
    if origin is tuple and Ellipsis not in inside:
        return f"a list of {len(inside)}: {', '.join(_in_words(item) for item in inside)}"
    if origin in (list, tuple):
        return f"a list, each {_in_words(inside[0])}"
    return {list: "a list", tuple: "a list", dict: "a mapping"}.get(origin or hint, OTHER)


def _place(word: str) -> tuple[int, str]:
    """Where a word stands among others: numbers before texts, null at the end."""
    known = ("a whole number", "a number", "a text", "true or false")
    return known.index(word) if word in known else len(known) + (word == "null"), word


def _hint(node: ast.expr | None) -> Any:
    """The annotation as a type; names that only its own module knows are `_UNKNOWN`."""
    try:
        return _read(node)
    except (ValueError, SyntaxError, TypeError, IndexError):  # an annotation that is more than names and brackets
        return _UNKNOWN


def _read(node: ast.expr | None) -> Any:
    if node is None:
        return _UNKNOWN
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return _hint(ast.parse(node.value, mode="eval").body)
        return None if node.value is None else _UNKNOWN
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([_hint(node.left), _hint(node.right)])
    if isinstance(node, ast.Subscript):
        return _subscripted(ast.unparse(node.value).rpartition(".")[2], node.slice)
    return _PLAIN.get(ast.unparse(node).rpartition(".")[2], _UNKNOWN)


def _subscripted(name: str, inside: ast.expr) -> Any:
    if name == "Literal":
        return Literal[tuple(ast.literal_eval(item) for item in _items(inside))]
    if name.lower() == "tuple" and ast.unparse(inside).endswith("...)"):
        return tuple[_known(_hint(_items(inside)[0])), ...]  # type: ignore[misc]
    hints = [_hint(item) for item in _items(inside)]
    if name == "Optional":
        return _union([*hints, None])
    if name == "Union":
        return _union(hints)
    if name == "Annotated":
        return hints[0]
    makers: dict[str, Callable[[list[Any]], Any]] = {
        "list": lambda items: list[items[0]],  # type: ignore[valid-type]
        "Sequence": lambda items: list[items[0]],  # type: ignore[valid-type]
        "dict": lambda items: dict[items[0], items[1]],  # type: ignore[valid-type]
        "Mapping": lambda items: dict[items[0], items[1]],  # type: ignore[valid-type]
        "tuple": lambda items: tuple[tuple(items)],  # type: ignore[misc]
    }
    if name.lower() not in makers and name not in makers:
        return _UNKNOWN
    return makers.get(name, makers.get(name.lower()))([_known(hint) for hint in hints])  # type: ignore[misc]


def _known(hint: Any) -> Any:
    return Any if hint is _UNKNOWN else hint


def _union(hints: list[Any]) -> Any:
    known = [hint for hint in hints if hint is not _UNKNOWN]
    if not known or (len(known) < len(hints) and known == [None]):
        return _UNKNOWN
    return functools.reduce(operator.or_, known) if len(known) == 1 else Union[tuple(known)]  # noqa: UP007


def _items(node: ast.expr) -> list[ast.expr]:
    items = list(node.elts) if isinstance(node, ast.Tuple) else [node]
    return [item for item in items if not (isinstance(item, ast.Constant) and item.value is ...)]


class _Key:
    """A hint as a key of the cache; hints that hold lists are compared by their text."""

    def __init__(self, hint: Any) -> None:
        self.hint = hint

    def __hash__(self) -> int:
        return hash(repr(self.hint))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and repr(self.hint) == repr(other.hint)


@functools.cache
def _adapter(key: _Key) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(key.hint)
