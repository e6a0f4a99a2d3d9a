"""Forking a process whose tokenizers have threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH = "TOKENIZERS_PARALLELISM"


@contextmanager
def quiet_forks(processes: int) -> Iterator[None]:
    """Keep Rust's thread pool, which does not survive a fork, out of the ``processes`` that are started within.

    The library warns of such a fork unless it is told. What the variable was before, it is again afterwards; and
    `os.environ` is the same object, for which datasets (5.2, `Dataset.map` with processes) leaves a copy.
    """
    if processes < 1:
        yield
        return
    environment = os.environ  # others keep it too, Rich's Console for one, and would miss what is set in a copy
    before = environment.get(_SWITCH)
    os.environ[_SWITCH] = "false"
    try:
        yield
    finally:
        os.environ = environment  # noqa: B003
        if before is None:
            del os.environ[_SWITCH]
        else:
            os.environ[_SWITCH] = before
