"""The worker processes of a sweep: each fresh, several at a time, none that outlives the sweep."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

from quatrain.core.asking import held
from quatrain.core.exit_codes import KILLED
from quatrain.runs.processes import worker_environment

PRELOADED = ["quatrain.sweeps.preloaded", "quatrain.sweeps.warm"]
CONSOLE = "console.log"
"""What a worker writes to its standard output and error, in its run directory: the terminal shows the sweep."""

WORKER = "quatrain.worker"


class _Process(NamedTuple):
    """A process that was started: how to send it a signal, and how to wait for its end and exit code."""

    send: Callable[[int], object]
    wait: Callable[[], int]


def warm_up() -> None:
    """Start the forkserver, which returns at once and imports in the background. Call it in the main thread.

    The forkserver ends with the thread that started it; where it runs already, nothing is done.
    """
    if _has_forkserver():
        from multiprocessing import forkserver

        with held(), _environment(worker_environment()):
            forkserver.set_forkserver_preload(PRELOADED)
            forkserver.ensure_running()


class Workers:
    """Starts workers from any thread, and hands signals on to all of them from the main one."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._asked: int | None = None
        self.killed = False
        self.starting = threading.Lock()
        """Starting a forked process looks after all others, which no two threads may do at once."""

    def slot(self, *, cold: bool, module: str = WORKER) -> "Slot":
        """Room for the workers of one job, one after the other; ``cold`` for a job that starts ranks of its own."""
        slot = Slot(self, cold=cold or not _has_forkserver(), module=module)
        self._slots.append(slot)
        return slot

    def hand_on(self, number: int) -> None:
        """Send a signal to every worker that runs, and to those that were just about to start."""
        self._asked = number
        for slot in self._slots:
            slot.send(number)

    def kill(self) -> None:
        """End every worker at once."""
        self.killed = True
        self.hand_on(signal.SIGKILL)

    def greet(self, slot: "Slot") -> None:
        """Tell a worker that has just started what the others were told before."""
        if self._asked is not None:
            slot.send(self._asked)


class Slot:
    """Starts the workers of one job.

    A worker of one process is forked from a forkserver that has imported what runs need; one that starts ranks of its
    own begins cold, as they repeat its command. Either begins with the signals that ask for a stop held back until it
    listens, and dies with this process, whatever ends that.
    """

    def __init__(self, workers: Workers, *, cold: bool, module: str) -> None:
        self._workers, self._cold, self._module = workers, cold, module
        self._process: _Process | None = None

    def start(self, run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        """Run a worker on ``run_dir``, wait for it, and return its exit code (128 + n for signal n, or `KILLED`).

        Call it in a thread that holds the signals of `quatrain.core.asking.ASKING` back.
        """
        variables = worker_environment(environment)
        if self._cold:
            self._process = _cold(run_dir, variables, self._module)
        else:
            self._process = _warm(run_dir, variables, self._module, self._workers.starting)
        self._workers.greet(self)
        try:
            code = self._process.wait()
        finally:
            self._process = None
        if code == -signal.SIGKILL and self._workers.killed:
            return KILLED
        return code if code >= 0 else 128 - code

    def send(self, number: int) -> None:
        """Send the worker that runs, if one does, a signal."""
        process = self._process
        if process is not None:
            process.send(number)

    def kill(self) -> None:
        """End the worker at once."""
        self.send(signal.SIGKILL)


def _cold(run_dir: str | Path, variables: Mapping[str, str], module: str) -> _Process:
    command = [sys.executable, "-m", module, str(run_dir)]
    with (Path(run_dir) / CONSOLE).open("ab") as words:
        process = subprocess.Popen(command, env=variables, process_group=0, stdout=words, stderr=words)
    return _Process(process.send_signal, process.wait)


def _warm(run_dir: str | Path, variables: Mapping[str, str], module: str, starting: threading.Lock) -> _Process:
    from quatrain.sweeps.warm import run

    arguments = (str(run_dir), dict(variables), str(Path(run_dir) / CONSOLE), module)
    context: Any = multiprocessing.get_context("forkserver")
    process = context.Process(target=run, args=arguments, name="worker")
    with starting:
        process.start()

    def send(number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)

    def wait() -> int:
        connection.wait([process.sentinel])
        with starting:
            return int(process.exitcode)

    return _Process(send, wait)


def _has_forkserver() -> bool:
    return sys.platform == "linux" and "forkserver" in multiprocessing.get_all_start_methods()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """``variables`` in place of this process's own within the block: the forkserver takes what it finds."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
