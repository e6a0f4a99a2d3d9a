"""Signals that ask a run to stop: it ends at the next optimizer step, with a checkpoint to go on from."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2") if hasattr(signal, name))
"""Signals that ask a run to stop: a cluster's, a terminal's, and the two that clusters send before the time is up."""


class Stopped(Exception):  # noqa: N818 - no error, but the end that was asked for
    """The run ends here because a signal asked for it. ``saved`` tells whether a checkpoint was written for it."""

    def __init__(self, number: int, *, saved: bool) -> None:
        super().__init__(f"{signal.Signals(number).name} stopped the run")
        self.number, self.saved = number, saved

    def __reduce__(self) -> Any:
        return _stopped, (self.number, self.saved)


def _stopped(number: int, saved: bool) -> Stopped:
    return Stopped(number, saved=saved)


class StopRequest:
    """Remembers the first signal of `ASKING`; a training asks ``number`` (0: none) at its steps.

    While nobody asks (``deferred`` is false: data is prepared, or the export written) the signal raises `Stopped` where
    the main thread is. A second Ctrl-C ends the process at once; other signals that come again change nothing, as
    clusters send theirs to a whole tree of processes, and twice.
    """

    def __init__(self) -> None:
        self.number = 0
        self.deferred = False

    def listen(self) -> None:
        """Take over the signals of this process; only a main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in ASKING:
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.number:
            return
        self.number = int(number)
        if not self.deferred:
            raise Stopped(self.number, saved=False)
        print(  # one write: a signal may come in the midst of another print
            f"{signal.Signals(number).name}: stopping after this step; Ctrl-C once more ends at once\n",
            end="",
            file=sys.stderr,
            flush=True,
        )
