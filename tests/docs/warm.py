"""quatrain's commands from a process that has the imports behind it, so that a page of them takes seconds.

`Warm` starts that process and writes three programs into a folder that is to stand first in PATH: ``quatrain``, a
Python for the workers that it starts, and ``python-of-pages``, which runs a file. Each hands its
arguments, environment, folder and open streams over, a fork of the process does what the program would, and its exit
code comes back. What is run is the real command with the real worker; what is saved is importing torch, 5 s a time.
Commands that train are made short by `small.made_small`.
"""

import os
import runpy
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from .small import made_small

PYTHON = sys.executable
PROGRAM = """\
#!{python} -SE
import array, os, socket, sys
words = sys.argv[1:]
if {kind!r} == "worker" and words[:2] != ["-m", "quatrain.worker"]:
    os.execv({python!r}, [{python!r}, *words])
pairs = [f"{{name}}={{value}}" for name, value in os.environ.items()]
parts = [os.getcwd(), str(len(pairs)), *pairs, {kind!r}, *words]
request = "\\0".join(parts).encode("utf-8", "surrogateescape")
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    socket.send_fds(asked, [len(request).to_bytes(8, "big")], [0, 1, 2])
    asked.sendall(request)
    code = asked.recv(1)
    while asked.recv(1):
        pass
sys.exit(code[0] if code else 1)
"""


class Warm:
    """The process and its programs, until `close`. ``folder`` must be new; its path must be short (a socket's is)."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        address = folder / "socket"
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        for name, kind in (("quatrain", "command"), ("python-of-workers", "worker"), ("python-of-pages", "page")):
            program = self.programs / name
            program.write_text(PROGRAM.format(python=sys.executable, kind=kind, address=str(address)), "utf-8")
            program.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(address))
            listening.listen(16)
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(listening.fileno()), str(self.programs / "python-of-workers")],
                pass_fds=[listening.fileno()],
                stdin=subprocess.DEVNULL,
                env={**environment, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])},
            )

    def close(self) -> None:
        """End the process; what still runs of its commands ends with it."""
        self._process.kill()
        self._process.wait()


SERVER = "import sys; from docs.warm import serve; sys.exit(serve(int(sys.argv[1]), sys.argv[2]))"


def serve(listening: int, worker_python: str) -> int:
    """Fork for each request that comes to the socket ``listening``; in a fork, return the command's exit code."""
    import quatrain.sweeps.preloaded  # noqa: F401

    door = socket.socket(fileno=listening)
    while True:
        asked, _ = door.accept()
        streams, request = _received(asked)
        if os.fork() == 0:
            door.close()
            for target, descriptor in enumerate(streams):
                os.dup2(descriptor, target)
                os.close(descriptor)
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
            code = _run(request, worker_python)
            sys.stdout.flush()
            sys.stderr.flush()
            asked.send(bytes([code]))  # the program ends when this process does
            return code
        for descriptor in streams:
            os.close(descriptor)
        asked.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _received(asked: socket.socket) -> tuple[list[int], list[str]]:
    head, streams, _, _ = socket.recv_fds(asked, 8, 3)
    length = int.from_bytes(head, "big")
    request = b""
    while len(request) < length:
        request += asked.recv(length - len(request))
    return streams, request.decode("utf-8", "surrogateescape").split("\0")


def _run(request: list[str], worker_python: str) -> int:
    folder, count, *rest = request
    environment, (kind, *words) = rest[: int(count)], rest[int(count) :]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(entry.split("=", 1) for entry in environment)
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))  # as a Python that starts has it
    sys.executable = worker_python
    try:
        return {"command": _command, "worker": _worker, "page": _page}[kind](words)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def _command(words: list[str]) -> int:
    from quatrain.__main__ import main

    words = made_small(words)
    if any(word.startswith("trainer.devices=") for word in words):  # its ranks repeat the worker's own command
        sys.executable = PYTHON
    sys.argv[:] = ["quatrain", *words]
    return main(words)


def _worker(words: list[str]) -> int:
    from quatrain.runs.processes import STARTER_VARIABLE

    os.environ[STARTER_VARIABLE] = str(os.getppid())  # the process that forked this one
    _, module, *arguments = words
    sys.argv[:] = [module, *arguments]
    given = Path(arguments[0]) if module == "quatrain.runs.planning" else arguments
    ended: int = import_module(module).main(given)
    return ended


def _page(words: list[str]) -> int:
    sys.argv[:] = words
    runpy.run_path(words[0], run_name="__main__")
    return 0
