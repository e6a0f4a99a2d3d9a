"""Signals that ask a run to stop: it ends at the next optimizer step, with a checkpoint to go on from."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import Any

from quatrain.core.asking import ASKING, let_in
from quatrain.core.exit_codes import INTERRUPTED

PATIENCE = 3.0
"""Seconds that a signal waits for the main thread to hear it, where nothing is trained."""


class Stopped(BaseException):
    """The run ends here because a signal asked for it. ``saved`` tells whether a checkpoint was written for it.

    No error, and so nothing that a library may catch: it is raised wherever the main thread happens to be.
    """

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
        self.before_end: Callable[[int], object] | None = None
        """What `watch` calls, with the signal's number, before it ends the process."""

    def listen(self) -> None:
        """Take over the signals of this process, also those that its starter held back; only a main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in ASKING:
                signal.signal(number, self._receive)
            _forked_ones_do_not_listen()
            let_in()

    def watch(self) -> None:
        """End the process where nothing is trained and a signal finds the main thread deaf for `PATIENCE` seconds.

        Python hears signals between two of its own instructions, and a library may be long at one: a tokenizer that is
        fitted, a rank that waits for the others. There is nothing to save then.
        """
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
            return
        heard, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        threading.Thread(target=self._end_if_deaf, args=(heard,), name="signals", daemon=True).start()

    def _end_if_deaf(self, heard: int) -> None:
        while number := os.read(heard, 1)[0]:
            if number in ASKING and not self.deferred:
                time.sleep(PATIENCE)
                if not self.number and not self.deferred:
                    print(f"{signal.Signals(number).name} ends this process", file=sys.stderr, flush=True)
                    if self.before_end:
                        self.before_end(number)
                    os._exit(INTERRUPTED)

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
        words = f"{signal.Signals(number).name}: stopping after this step; Ctrl-C once more ends at once\n"
        with suppress(OSError):  # nobody listens any more
            os.write(2, words.encode())  # not through sys.stderr, in the midst of whose print this may be


@cache
def _forked_ones_do_not_listen() -> None:
    """Give processes that this one forks (loaders, pools) the system's own answers to signals back."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_as_the_system_does)


def _as_the_system_does() -> None:
    signal.set_wakeup_fd(-1)
    for number in ASKING:
        if isinstance(getattr(signal.getsignal(number), "__self__", None), StopRequest):
            signal.signal(number, signal.SIG_DFL)
