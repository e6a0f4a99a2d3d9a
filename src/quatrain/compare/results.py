"""A result file as a comparison takes it: of the right shape, whoever wrote it, and not larger than ours ever are."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.compare.finding import Found
from quatrain.core.errors import UserError
from quatrain.runs.reading import read_json, read_mapping

Mode = Literal["min", "max"]
Floats = NDArray[np.float64]

LARGEST_RESULT = 8 * 10**6
"""Bytes; ours have some 50,000."""

MOST_LEAVES = 5_000
"""Values of a config; ours have some 200."""

DEEPEST = 40
NEEDED = ("metrics", "name", "seed", "config", "monitor", "mode", "history")
SPEED = ("seconds", "tokens_per_second")
LARGEST_WHOLE = 2**63
LARGEST = 1e100
"""Numbers beyond are as good as infinite: their squares are."""


class Incomplete(Exception):  # noqa: N818 - no error of the user's
    """A result that an earlier quatrain wrote; ``lacking`` is what it does not say."""

    def __init__(self, lacking: list[str]) -> None:
        super().__init__(", ".join(lacking))
        self.lacking = lacking


class Pruned(Exception):  # noqa: N818 - no error of the user's
    """The result of a run that a search ended early."""


@dataclass(frozen=True)
class Result:
    """What one run came to. ``leaves`` are the values of its config by their dotted keys, as JSON has them.

    ``curves`` are steps and values of each metric over the training; a value that was not finite is NaN. ``scalars``
    are the last values, the scores of the test split, and the speed; ``references`` what scores are to be
    compared with.
    """

    found: Found
    name: str
    seed: int
    leaves: Mapping[str, Any]
    monitor: str | None
    mode: Mode | None
    curves: Mapping[str, tuple[Floats, Floats]]
    scalars: Mapping[str, float]
    references: Mapping[str, float] = field(default_factory=dict)

    def metrics(self) -> list[str]:
        """The names of all that it can be compared by."""
        return sorted(set(self.curves) | set(self.scalars))

    def value(self, metric: str, mode: Mode, *, last: bool) -> float | None:
        """The best value of ``metric`` over the training, or the last; None where there is none that is finite.

        Of what was measured once, such as the test split, that value.
        """
        if metric not in self.curves:
            return self.scalars.get(metric)
        values = self.curves[metric][1]
        if last:
            end = float(values[-1]) if len(values) else math.nan
            return end if math.isfinite(end) else None
        finite = values[np.isfinite(values)]
        return float(finite.min() if mode == "min" else finite.max()) if len(finite) else None


def read_result(found: Found) -> Result:
    """Read one result file.

    Raises:
        Pruned: it is of a shorter training than it should have been.
        Incomplete: it was written before results said what a comparison needs.
        UserError: it cannot be read, or is not of the shape that quatrain writes.
    """
    content = read_mapping(found.path, lambda path: read_json(path, LARGEST_RESULT), "")
    if "pruned" in content:
        raise Pruned
    if lacking := [name for name in NEEDED if name not in content]:
        raise Incomplete(lacking)
    try:
        name, mode, monitor = content["name"], content["mode"], content["monitor"]
        _demand(isinstance(name, str), "name")
        _demand(_whole(content["seed"]), "seed")
        _demand(monitor is None or (isinstance(monitor, str) and mode in ("min", "max")), "monitor and mode")
        return Result(
            found,
            name,
            content["seed"],
            _leaves(content["config"]),
            monitor,
            mode,
            {one: _curve(curve, one) for one, curve in _mapping(content["history"], "history").items()},
            _scalars(content),
            _references(content),
        )
    except ValueError as error:
        raise UserError(f"{found.path}: {error} is not of the shape that quatrain writes; it is left out.") from error


def canonical(value: Any) -> str:
    """A text that two values of a config share where they are equal, as JSON tells them apart."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _leaves(config: Any) -> dict[str, Any]:
    """Values by dotted keys; lists stay whole."""
    leaves: dict[str, Any] = {}
    waiting = [("", _mapping(config, "config"), 0)]
    while waiting:
        place, table, depth = waiting.pop()
        for name, value in table.items():
            key = f"{place}.{name}" if place else name
            if isinstance(value, dict) and value:
                _demand(depth < DEEPEST, "config")
                waiting.append((key, value, depth + 1))
            else:
                _check_leaf(value)
                leaves[key] = value
            _demand(len(leaves) <= MOST_LEAVES, "config")
    return leaves


def _check_leaf(value: Any) -> None:
    """Make sure that a value can be told again as JSON: not nested too deep, and finite as ours are."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        _demand(depth < DEEPEST and (not isinstance(one, float) or math.isfinite(one)), "config")
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(part, depth + 1) for part in inner]


def _curve(curve: Any, name: str) -> tuple[Floats, Floats]:
    table = _mapping(curve, f"history of {name}")
    steps, values = table.get("step"), table.get("value")
    right = isinstance(steps, list) and isinstance(values, list) and len(steps) == len(values)
    _demand(right and all(map(_whole, steps or [])), f"history of {name}")
    return np.array(steps, dtype=np.float64), np.array([_number(one, name) for one in values or []], dtype=np.float64)


def _scalars(content: Mapping[str, Any]) -> dict[str, float]:
    given = {**_mapping(content["metrics"], "metrics"), **{name: content.get(name) for name in SPEED}}
    numbers = {name: _number(value, name) for name, value in given.items()}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _references(content: Mapping[str, Any]) -> dict[str, float]:
    """None where an earlier quatrain wrote the file."""
    given = _mapping(content["references"], "references") if "references" in content else {}
    numbers = {name: _number(value, f"references of {name}") for name, value in given.items()}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _number(value: Any, name: str) -> float:
    """A float; NaN for null, by which JSON says that a number was not finite, and beyond `LARGEST`."""
    if value is None:
        return math.nan
    _demand(isinstance(value, float) or _whole(value), name)
    return float(value) if abs(value) < LARGEST else math.nan


def _whole(value: Any) -> bool:
    return type(value) is int and -LARGEST_WHOLE < value < LARGEST_WHOLE


def _mapping(value: Any, name: str) -> dict[str, Any]:
    _demand(isinstance(value, dict), name)
    return dict(value)


def _demand(right: object, name: str) -> None:
    if not right:
        raise ValueError(name)
