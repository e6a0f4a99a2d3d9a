"""Workers as processes of their own, and what ends them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from quatrain.core.asking import ASKING, hold, let_in
from quatrain.core.bound import die_with_parent
from quatrain.core.build import ALLOW_VARIABLE, launch_path
from quatrain.core.exit_codes import KILLED

STARTER_VARIABLE = "QUATRAIN_STARTER"
"""The number of the process that a worker must not outlive."""

RANK_VARIABLES = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE")
"""What a run before may have left in this environment; a worker that found them would train as a rank of nothing."""

POLL_SECONDS = 0.5


def start_worker(
    run_dir: str | Path,
    *,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    module: str = "quatrain.worker",
) -> int:
    """Run a worker on ``run_dir`` as a child process, wait for it and return its exit code (128 + n for signal n).

    The signals that ask for a stop are handed to the worker: it stands in a group of its own, so that a terminal's
    Ctrl-C does not reach it twice. It begins with these signals blocked, so that one which comes early waits until it
    listens. A second Ctrl-C kills it, and the code is `KILLED`. It dies with this process (see `end_with_parent`).

    Args:
        run_dir: the run directory.
        environment: variables to set besides this process's own.
        arguments: further arguments of the worker.
        module: the worker's module.
    """
    command = [sys.executable, "-m", module, str(run_dir), *arguments]
    hold()
    try:
        process = subprocess.Popen(command, env=worker_environment(environment), process_group=0)
    except BaseException:
        let_in()
        raise
    try:
        with _handing_on(process) as received:
            code = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code == -signal.SIGKILL and received.count(signal.SIGINT) > 1:
        return KILLED
    return code if code >= 0 else 128 - code


def worker_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a worker that this process starts.

    The launch folder is on the import path only where the user allowed classes of their own; else a stray file there
    could take the place of a library.
    """
    environment = dict(os.environ)
    left = () if "TORCHELASTIC_RUN_ID" in environment else RANK_VARIABLES  # torchrun's are meant
    for name in ("HYDRA_FULL_ERROR", *left):
        environment.pop(name, None)
    environment["PYTHONSAFEPATH"] = "1"
    environment[STARTER_VARIABLE] = str(os.getpid())
    if environment.get(ALLOW_VARIABLE):
        paths = [*launch_path(Path.cwd()), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment | dict(extra or {})


def end_with_parent() -> None:
    """Make this process, and all that it will start, die at once when its starter does; call it first of all.

    Without a starter of ours (run by hand, under torchrun or Slurm) only what this process starts is bound to it: ranks
    call this themselves, and forked children (loader workers) are bound as they are forked. On Linux the kernel ends
    them; elsewhere a thread looks twice a second. It is a kill: a worker whose starter has died saves nothing more.
    """
    starter = os.environ.get(STARTER_VARIABLE)
    if starter:
        _bind(int(starter))
    os.environ[STARTER_VARIABLE] = str(os.getpid())
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_bind_forked)


def _bind_forked() -> None:
    starter = os.environ.get(STARTER_VARIABLE, "")
    os.environ[STARTER_VARIABLE] = str(os.getpid())
    if starter:
        _bind(int(starter))


def _bind(parent: int) -> None:
    if not die_with_parent():
        watch_parent(parent)
    if os.getppid() != parent:  # it died before we were bound
        _die()


def watch_parent(parent: int) -> None:
    """End this process within about `POLL_SECONDS` of the end of ``parent``, by a thread."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        _die()

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _die() -> NoReturn:
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)


@contextmanager
def _handing_on(process: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Hand the signals that ask for a stop, which the caller holds back until now, on to ``process``; yield them.

    A second Ctrl-C is handed on as a kill. Only a main thread can do any of it.

    A handler that stood here before, such as a cluster launcher's that queues the job again, gets its signal when the
    process has ended, and so has saved.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        let_in()
        yield received
        return

    def hand_on(number: int, _: Any) -> None:
        again = number == signal.SIGINT and number in received
        received.append(number)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL if again else number)

    before = {number: signal.signal(number, hand_on) for number in ASKING}
    let_in()
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received and callable(handler := before[signal.Signals(received[0])]) and handler != signal.default_int_handler:
        os.kill(os.getpid(), received[0])
