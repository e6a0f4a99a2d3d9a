"""Forking a process whose tokenizers have threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH = "TOKENIZERS_PARALLELISM"


@contextmanager
def quiet_forks(processes: int) -> Iterator[None]:
    """Keep Rust's thread pool, which does not survive a fork, out of the ``processes`` that are started within.

    The library warns of such a fork unless it is told. What the variable was before, it is again afterwards.
    """
    if processes < 1:
        yield
        return
    before = os.environ.get(_SWITCH)
    os.environ[_SWITCH] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SWITCH]
        else:
            os.environ[_SWITCH] = before
