"""The worker processes of a sweep: each fresh, several at a time, none that outlives the sweep."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

from quatrain.core.exit_codes import KILLED
from quatrain.runs.processes import worker_environment
from quatrain.sweeps.forkserver import forkserver_pid, is_possible

CONSOLE = "console.log"
"""What a worker writes to its standard output and error, in its run directory: the terminal shows the sweep."""

WORKER = "quatrain.worker"

UNTOLD = 255
"""What multiprocessing takes for the exit code where the forkserver, which would have told it, is gone."""


class _Process(NamedTuple):
    """A process that was started: how to send it a signal, and how to wait for its end and exit code."""

    send: Callable[[int], object]
    wait: Callable[[], int]


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
        slot = Slot(self, cold=cold or not is_possible(), module=module)
        self._slots.append(slot)
        return slot

    def hand_on(self, number: int) -> None:
        """Send a signal to every worker that runs, and to those that were just about to start."""
        self._asked = number
        for slot in self._slots:
            slot.send(number)

    def kill(self) -> None:
        """End every worker at once, and the forkserver: one that still imports would hold up those that wait for it."""
        self.killed = True
        self.hand_on(signal.SIGKILL)
        server = forkserver_pid()
        if server is not None:
            os.kill(server, signal.SIGKILL)

    def greet(self, slot: "Slot") -> None:
        """Tell a worker that has just started what it, or all others, were told before."""
        number = signal.SIGKILL if slot.killed else self._asked
        if number is not None:
            slot.send(number)


class Slot:
    """Starts the workers of one job.

    A worker of one process is forked from a forkserver that has imported what runs need; one that starts ranks of its
    own begins cold, as they repeat its command. Either begins with the signals that ask for a stop held back until it
    listens, and dies with this process, whatever ends that.
    """

    def __init__(self, workers: Workers, *, cold: bool, module: str) -> None:
        self._workers, self._cold, self._module = workers, cold, module
        self._process: _Process | None = None
        self.killed = False

    def start(self, run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        """Run a worker on ``run_dir``, wait for it, and return its exit code (128 + n for signal n, or `KILLED`).

        Call it in a thread that holds the signals of `quatrain.core.asking.ASKING` back.

        Raises:
            OSError: its console cannot be written.
        """
        if self.killed:
            return 128 + signal.SIGKILL
        self._process = self._begun(run_dir, worker_environment(environment))
        self._workers.greet(self)
        try:
            code = self._process.wait()
        finally:
            self._process = None
        if code in (-signal.SIGKILL, UNTOLD) and self._workers.killed:
            return KILLED
        return code if code >= 0 else 128 - code

    def _begun(self, run_dir: str | Path, variables: Mapping[str, str]) -> _Process:
        (Path(run_dir) / CONSOLE).open("ab").close()
        if not self._cold:
            with suppress(ConnectionError, EOFError):  # the forkserver was killed
                return _warm(run_dir, variables, self._module, self._workers.starting)
        return _cold(run_dir, variables, self._module)

    def send(self, number: int) -> None:
        """Send the worker that runs, if one does, a signal."""
        process = self._process
        if process is not None:
            process.send(number)

    def kill(self) -> None:
        """End the worker at once, and start none any more."""
        self.killed = True
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
        if forkserver_pid() is None:  # another one would end with this thread
            raise ConnectionError
        process.start()

    def send(number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)

    def wait() -> int:
        connection.wait([process.sentinel])
        with starting:
            return int(process.exitcode)

    return _Process(send, wait)
