"""Work in threads whose results come in order, a bounded number of them ahead."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    work: Callable[[Given], Made], items: Iterable[Given], *, threads: int, ahead: int
) -> Iterator[tuple[Given, Made]]:
    """Yield each item with what ``work`` makes of it, in order, while ``threads`` work on the next ones.

    Items are taken by the thread that takes the results, at most ``ahead`` before the result that is wanted; so memory
    is bounded, and what the items are read from needs no lock. An error of ``work`` or of the items comes out where its
    result would; nothing is left running.
    """
    waiting: deque[tuple[Given, Future[Made]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > ahead:
                done, made = waiting.popleft()
                yield done, made.result()
        while waiting:
            done, made = waiting.popleft()
            yield done, made.result()
    finally:
        pool.shutdown(cancel_futures=True)
