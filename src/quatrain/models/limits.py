"""How large a model may be that a config asks for: told before anything is allocated. Loads no torch but to measure."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from quatrain.core.brought_files import megabytes
from quatrain.core.errors import UserError
from quatrain.models.config_words import number, word_for

LARGEST = 10**12
"""Bytes of weights in float32, in which they are trained: 250 billion parameters."""

MOST_LAYERS = 2_000
MOST_LABELS = 1_000_000
FLOAT32_BYTES = 4

_LAYERS = re.compile(r"(^|_)n?_?layers?$")
_LABELS = re.compile(r"num_labels$")


def check_size(config: Mapping[str, Any], key: str = "model.config") -> list[str]:
    """What of ``config`` (Hugging Face's words) is beyond `LARGEST`, `MOST_LAYERS` or `MOST_LABELS`."""
    wrong = list(_too_many(config, key))
    hidden, blocks, vocabulary = number(config, "hidden_size"), number(config, "blocks"), number(config, "vocab_size")
    if wrong or hidden is None:
        return wrong
    # a block has 4 matrices of attention and an MLP of 4 times the width (Vaswani et al. 2017)
    needed = FLOAT32_BYTES * ((vocabulary or 0) * hidden + 12 * (blocks or 0) * hidden**2)
    if needed > LARGEST:
        word = word_for(config, "hidden_size")
        said = f"{word}={hidden} with {blocks or 0} blocks and {vocabulary or 0} entries of a vocabulary"
        wrong.append(too_large(f"{key}: {said}", needed, LARGEST, "at most that is built"))
    return wrong


def check_allocation(model: Any, key: str) -> None:
    """Judge a model that was made from shapes alone (on the meta device) by `LARGEST` and this machine's memory.

    Raises:
        UserError: it is too large, with the memory that its weights would need.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    needed, there = FLOAT32_BYTES * parameters, machine_memory()
    what = f"{key}: a {type(model).__name__} of {parameters:,} parameters"
    if needed > LARGEST:
        raise UserError(too_large(what, needed, LARGEST, "at most that is built"))
    if there is not None and needed > there:
        raise UserError(too_large(what, needed, there, "this machine has no more memory"))


def too_large(what: str, needed: int, limit: int, why: str) -> str:
    """The sentence for a model that would need more memory than there may be."""
    return (
        f"{what} would need {megabytes(needed)} of memory for its weights in float32, beyond {megabytes(limit)}"
        f" ({why}); take a smaller model."
    )


def machine_memory() -> int | None:
    """Bytes of this machine's memory; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return None


def _too_many(config: Mapping[str, Any], key: str) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _too_many(value, f"{key}.{name}")
        for pattern, most in ((_LAYERS, MOST_LAYERS), (_LABELS, MOST_LABELS)):
            if isinstance(value, int) and value > most and pattern.search(str(name)):
                yield f"{key}: {name}={value} is beyond {most}, the most that are built; take a smaller number."
