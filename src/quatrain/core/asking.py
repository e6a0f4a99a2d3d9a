"""The signals that ask a process to stop, in a row that every room knows."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2") if hasattr(signal, name))
"""A cluster's, a terminal's, and the two that clusters send before the time is up."""


def hold() -> None:
    """Let the signals of `ASKING` wait for this thread, and for every process and thread that it starts from now on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)


@contextmanager
def held() -> Iterator[None]:
    """`hold` within the block, and then whatever was before."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """Take the signals of `ASKING` again, those that have waited at once."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)


def ignore() -> None:
    """Let the signals of `ASKING` change nothing any more; only a main thread can."""
    for number in ASKING:
        signal.signal(number, signal.SIG_IGN)
