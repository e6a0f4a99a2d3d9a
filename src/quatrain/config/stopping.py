"""The end of a sweep under a launcher of others, when a signal asks the command for it."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quatrain.config.handed_over import HandedOver
from quatrain.core.asking import ASKING
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.identity import is_alive

AT_MOST = 20.0
"""Seconds that the command waits for jobs on this machine which it has asked to stop."""


@contextmanager
def stopping(sweep: HandedOver) -> Iterator[None]:
    """Within the block a signal that asks for a stop has the jobs on this machine end first, and then interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: Any) -> None:
        for asking in ASKING:
            signal.signal(asking, signal.default_int_handler if asking == signal.SIGINT else signal.SIG_IGN)
        if sweep.starter:
            print(f"{signal.Signals(number).name}: the jobs end with a checkpoint", file=sys.stderr, flush=True)
            sweep.ask_to_stop()
            _wait_for_jobs(sweep.root)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in ASKING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_jobs(root: Path) -> None:
    """Wait until no job runs on this machine any more, but not for ever."""
    end = time.monotonic() + AT_MOST
    while time.monotonic() < end and any(_runs_here(path.parent) for path in root.glob("*/status.json")):
        time.sleep(0.2)


def _runs_here(folder: Path) -> bool:
    try:
        status = RunDirectory(folder).status()
    except UserError:
        return False
    here = status.host == socket.gethostname()
    return here and status.status in ("queued", "running") and is_alive(status.pid, status.process_start)
