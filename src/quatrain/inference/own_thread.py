"""Computing for an iterator that may wait between its items for as long as it likes.

Whether gradients are kept and in which precision is computed are settings of a thread. An iterator that waited within
them would leave them to the code that takes its items; one that left them each time would cast all weights anew.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quatrain.inference.loading import Loaded

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
            with suppress(RuntimeError):  # Python itself is ending, and has ended its threads
                call(context.__exit__, None, None, None)
