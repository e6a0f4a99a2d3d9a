"""From what stands in a label column to class numbers or scores.

A label is a class, given by its number or its name, or a score. -1 or nothing at all marks an unlabelled row, which
only a test split may hold.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from quatrain.corpora.glue import GlueTask

UNLABELLED = -1

SHOWN_NAMES = 10
"""Classes that a sentence names one by one."""

PlainLabel = int | float | str | None

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class LabelScheme:
    """What the labels of a corpus mean.

    ``names``: classes by number, None for a regression. ``given``: whether they were said beforehand and not found in
    the training rows. ``score_range``: lowest and highest score of a regression, where known.
    """

    names: tuple[str, ...] | None
    given: bool = False
    score_range: tuple[float, float] | None = None

    def encode(self, value: Any) -> int | float:
        """Return the class number or the score; `UNLABELLED` for an unlabelled row.

        Raises:
            ValueError: the label is unknown; its text goes on with "label ...", and says what is allowed.
        """
        if isinstance(value, str) and self.names is not None and value.strip() in self.names:
            return self.names.index(value.strip())
        plain = plain_label(value)
        if self.names is not None and str(plain) in self.names:  # before -1 is taken for unlabelled: it may be a name
            return self.names.index(str(plain))
        if plain is None or plain == UNLABELLED:
            return UNLABELLED if self.names is not None else float(UNLABELLED)
        return self._score(plain) if self.names is None else self._class(plain, self.names)

    def _score(self, plain: int | float | str) -> float:
        low, high = self.score_range or (-math.inf, math.inf)
        if isinstance(plain, str) or not math.isfinite(plain) or not low <= plain <= high:
            allowed = f"from {low:g} to {high:g}" if self.score_range else "that is finite"
            raise ValueError(f"label {plain!r} is no score; write a number {allowed}")
        return float(plain)

    def _class(self, plain: int | float | str, names: tuple[str, ...]) -> int:
        if self.given and isinstance(plain, int) and 0 <= plain < len(names):
            return plain
        if self.given:
            allowed = listed([name if name == str(i) else f"{i} or {name}" for i, name in enumerate(names)])
            raise ValueError(f"label {plain!r} is unknown; allowed are {allowed}")
        raise ValueError(f"label {plain!r} stands in no row of train, whose labels are {listed(names)}")


def listed(names: Sequence[str]) -> str:
    """Names of classes for a sentence, of many the first ones and how many more there are."""
    more = [f"and {len(names) - SHOWN_NAMES:,} more"] if len(names) > SHOWN_NAMES else []
    return ", ".join([*names[:SHOWN_NAMES], *more])


def given_scheme(task: GlueTask | None, label_names: Iterable[str] | None) -> LabelScheme | None:
    """The scheme that ``label_names`` or else the GLUE task says; None where the training rows must tell."""
    if label_names is not None:
        return LabelScheme(tuple(map(str, label_names)), given=True)
    if task is not None:
        return LabelScheme(task.label_names, given=True, score_range=task.score_range)
    return None


def found_scheme(labels: Iterable[Any]) -> LabelScheme:
    """The scheme that training labels tell.

    Any that is no number: classes by name, sorted. All numbers, some not whole: a regression. All whole: classes in
    ascending order, each named by its number. What is no label is passed over here; `LabelScheme.encode` refuses it.
    """
    plain = {value for value in map(_label_or_none, labels) if value not in (None, UNLABELLED)}
    if any(isinstance(value, str) for value in plain):
        return LabelScheme(tuple(sorted(map(str, plain))))
    if any(isinstance(value, float) for value in plain):
        return LabelScheme(None)
    return LabelScheme(tuple(map(str, sorted(plain, key=int))))


def plain_label(value: Any) -> PlainLabel:
    """The label as a whole number, another number, a name, or None for no label.

    Text that reads as a number is that number, so that JSON and CSV say the same.

    Raises:
        ValueError: it is none of these.
    """
    value = value.item() if hasattr(value, "item") else value  # a NumPy scalar
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER.fullmatch(text):
            return int(text)
        return _whole(float(text)) if _NUMBER.fullmatch(text) else text or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _whole(value)
    raise ValueError(f"label is a {type(value).__name__}; write a class by number or name, or a score")


def _label_or_none(value: Any) -> PlainLabel:
    try:
        return plain_label(value)
    except ValueError:
        return None


def _whole(value: float) -> int | float:
    return int(value) if math.isfinite(value) and value.is_integer() else value
