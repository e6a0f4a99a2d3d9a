"""Batches of arrays as a model is called with them, and texts in memory as rows."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from inspect import signature
from typing import Any

import torch

from quatrain.core.errors import UserError
from quatrain.inference.loading import Loaded
from quatrain.inference.rows import Row
from quatrain.inference.streaming import Arrays


def arguments_of(loaded: Loaded, batch: Arrays) -> dict[str, Any]:
    """Return ``batch`` as tensors on the model's device; no cache is kept for tokens that will not come."""
    given: dict[str, Any] = {name: torch.from_numpy(value).to(loaded.device) for name, value in batch.items()}
    if _has_cache(type(loaded.model).forward):
        given["use_cache"] = False
    return given


def called(loaded: Loaded, batch: Arrays) -> tuple[Any, dict[str, Any]]:
    """Return what the model makes of ``batch``, and the tensors that it was given.

    Raises:
        UserError: the model cannot be called with tokens alone.
    """
    given = arguments_of(loaded, batch)
    try:
        return loaded.model(**given), given
    except (LookupError, TypeError, ValueError, AttributeError, NotImplementedError, AssertionError) as error:
        raise UserError(
            f"{loaded.target.given} ({type(loaded.model).__name__}) gives no answer to texts alone"
            f" ({type(error).__name__}: {str(error).strip():.150}); name a model of texts, such as BERT."
        ) from error


def named_rows(texts: Iterable[str | tuple[str, str]]) -> Iterator[Row]:
    """Yield texts and pairs as rows, which are called by their number from 1.

    Raises:
        UserError: something else than a text or a pair, or both kinds in turn.
    """
    kind: int | None = None
    for number, given in enumerate(texts, 1):
        place = f"row {number}"
        row = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, tuple | list) else ()
        if len(row) not in (1, 2) or not all(isinstance(text, str) for text in row):
            raise UserError(f"{place} is {given!r:.60}, not a text or a pair of texts; give one of them.")
        if kind not in (None, len(row)):
            raise UserError(
                f"{place} is {'a pair' if len(row) == 2 else 'a text'}, unlike those before; give one kind."
            )
        kind = len(row)
        yield Row(place, {}, row)


@lru_cache(maxsize=8)
def _has_cache(forward: Callable[..., Any]) -> bool:
    return "use_cache" in signature(forward).parameters
