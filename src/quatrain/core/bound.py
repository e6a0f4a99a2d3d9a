"""Processes that end with the one that started them."""

import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def die_with_parent() -> bool:
    """Have the kernel kill this process when the thread that started it ends; False where no kernel does (not Linux).

    A parent that has ended before is not noticed; look at ``os.getppid`` afterwards.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    return True
