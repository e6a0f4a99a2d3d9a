"""Computing for an iterator that may wait between its items for as long as it likes.

Whether gradients are kept and in which precision is computed are settings of a thread. An iterator that waited within
them would leave them to the code that takes its items; one that left them each time would cast all weights anew.
"""

import atexit
import functools
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from quatrain.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from quatrain.inference.loading import Loaded

Item = TypeVar("Item")

Call = Callable[..., Any]
"""Calls its first argument with the others and returns or raises what that does."""


@contextmanager
def computing_in_own_thread(loaded: "Loaded") -> Iterator[Call]:
    """Yield a `Call` that computes in ``loaded.computing()``, in a thread where nothing else does; one call at a time.

    The caller's own thread is as it was at every moment. An interrupted caller waits for the call under way.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="quatrain-model") as thread:

        def call(function: Call, *arguments: Any) -> Any:
            return thread.submit(function, *arguments).result()

        context = loaded.computing()
        call(context.__enter__)
        try:
            yield call
        finally:
            try:
                call(context.__exit__, None, None, None)
            except RuntimeError:  # Python itself is ending, and has ended its threads
                context.__exit__(None, None, None)


def closed_at_exit(items: "Generator[Item, None, None]") -> "Generator[Item, None, None]":
    """``items``, which are closed before Python ends where they still wait; later what closing needs would be gone."""
    _waiting().add(items)
    return items


@functools.cache
def _waiting() -> "WeakSet[Generator[Any, None, None]]":
    waiting: WeakSet[Generator[Any, None, None]] = WeakSet()

    def close() -> None:
        for items in list(waiting):
            items.close()

    atexit.register(close)
    return waiting


def check_numbers(loaded: "Loaded", logits: "Tensor") -> None:
    """Refuse ``logits`` [..., vocab] of a model that diverged, from which no probabilities follow.

    Single ones may be -inf: a token that a model rules out.

    Raises:
        UserError: one is NaN or inf, or all of a row are -inf.
    """
    if not bool(logits.amax(-1).isfinite().all()):
        raise UserError(
            f"{loaded.target.given} gives logits that are no finite numbers (NaN or infinite); name a model whose"
            " training did not diverge, or compute in float32 (--precision 32-true)."
        )
