"""Values are judged strictly against annotations."""

import ast
from typing import Any

import pytest

from quatrain.config.values import misfit
from quatrain.core.signatures import Argument


def _argument(annotation: str | None) -> Argument:
    node = None if annotation is None else ast.parse(annotation, mode="eval").body
    return Argument("x", node, None, required=False)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", 3),
        ("float", 3),
        ("float", 0.5),
        ("bool", False),
        ("str | None", None),
        ("Optional[Union[int, str]]", "auto"),
        ("list[str] | None", ["a"]),
        ("tuple[float, float]", [0.9, 0.98]),
        ("tuple[str, ...]", ["a", "b", "c"]),
        ("Literal['line', 'block']", "line"),
        ("dict[str, Any]", {"r": 8}),
        ("float | Tensor", 0.1),  # names that only the class's module knows are left out of unions
        ("Logger", "anything"),
        ("Union[str, Strategy]", "ddp"),
        (None, object()),
    ],
)
def test_what_fits(annotation: str | None, value: Any) -> None:
    assert misfit(_argument(annotation), value) is None


@pytest.mark.parametrize(
    ("annotation", "value", "allowed"),
    [
        ("int", "3", "a whole number"),
        ("int", True, "a whole number"),
        ("int", 2.5, "a whole number"),
        ("float", "abc", "a number"),
        ("bool", "yes", "true or false"),
        ("str", 3, "a text"),
        ("int", None, "a whole number"),
        ("Literal['line', 'block']", "lime", "one of line, block"),
        ("tuple[float, float]", [0.9], "a list of 2: a number, a number"),
        ("float | Tensor", "fast", "a number"),
        ("list[str] | None", "a", "a list, each a text or null"),
    ],
)
def test_what_does_not_fit(annotation: str, value: Any, allowed: str) -> None:
    wrong = misfit(_argument(annotation), value)
    assert wrong is not None
    assert allowed in wrong
