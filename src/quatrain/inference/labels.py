"""A classifier's labels, and those of data that others labelled, by the numbers that the classifier gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.pair_labels import UNLABELLED, LabelScheme, plain_label
from quatrain.inference.prediction import labels_of as names_of


@dataclass(frozen=True)
class ModelLabels(LabelScheme):
    """Classes by the model's names and numbers. ``numbers``: the model's number of each class number of the data."""

    numbers: tuple[int, ...] = ()

    def encode(self, value: Any) -> int | float:
        """Return the model's number of a label, by its name whatever its case, else by its number.

        Raises:
            ValueError: it is neither; the text goes on with "label ...".
        """
        plain = plain_label(value)
        folded = [name.casefold() for name in self.names or ()]
        for text in (value, plain):
            if str(text).strip().casefold() in folded:
                return folded.index(str(text).strip().casefold())
        if plain is None or plain == UNLABELLED:
            return UNLABELLED
        if isinstance(plain, int) and 0 <= plain < len(self.numbers):
            return self.numbers[plain]
        raise ValueError(f"label {plain!r} is none of the model's: {', '.join(self.names or ())}")


def labels_of(model: Any) -> LabelScheme:
    """What the labels of a classifier mean; a scheme without names where it gives scores.

    Raises:
        UserError: it gives several labels or scores at once, or two of its labels have the same name.
    """
    return LabelScheme(names_of(model.config), given=True)


def matched(own: LabelScheme, told: Sequence[str] | None, what: str, notes: list[str]) -> LabelScheme:
    """How labels of data are read by a model whose labels are ``own``.

    ``told``: the classes by number that the data itself tells; None where it tells none, and a number is then the
    model's own, unless the model's names are numbers. Classes are matched by name, whatever the case, and by number
    where no name is known, which is added to ``notes``. ``what`` names the data.

    Raises:
        UserError: the classes are not the model's.
    """
    if own.names is None:
        return own
    folded = [name.casefold() for name in own.names]
    if told is None:
        by_number = not all(name.lstrip("-").isdecimal() for name in own.names)
        return ModelLabels(own.names, numbers=tuple(range(len(own.names))) if by_number else ())
    known = [name.casefold() in folded for name in told]
    if all(known):
        return ModelLabels(own.names, numbers=tuple(folded.index(name.casefold()) for name in told))
    if not any(known) and len(told) == len(own.names):
        pairs = ", ".join(f"{name} as {label}" for name, label in zip(told, own.names, strict=True))
        notes.append(f"classes by number, as the data and the model name them differently: {pairs}")
        return ModelLabels(own.names, numbers=tuple(range(len(told))))
    raise UserError(
        f"{what} has the classes {', '.join(told)} and the model {', '.join(own.names)}, which match neither by"
        " name nor by number; score data of the model's own classes."
    )
