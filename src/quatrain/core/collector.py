"""Python's garbage collector, kept out of the way of imports."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """No collection within the block, and what it left behind is looked through by none that follows.

    For imports, which make half a million objects that live as long as the process: collections in between took a fifth
    of their time. Only the first block of a process leaves its objects out, so that in one that does much else nothing
    that becomes garbage is kept.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        gc.enable()
