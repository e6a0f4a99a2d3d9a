"""Proves what a process does when it is asked to stop: at once where nothing is trained, else at the step's end; also
where a library does not let Python hear, and not in the processes that it forks.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
BEGIN = """
import ctypes, os, signal, sys, threading, time
from quatrain.training.preemption import Stopped, StopRequest
from quatrain.training import preemption
stop = StopRequest()
stop.listen()
"""


def run(code: str, *numbers: int) -> tuple[int, str, str]:
    """A process of ``code``, and signals to it once it has said a line; its exit code and what it said."""
    command = [sys.executable, "-c", BEGIN + code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": SOURCE}, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    first = process.stdout.readline()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.2)
    out, error = process.communicate(timeout=20)
    return process.returncode, first + out, error


def test_where_nothing_is_trained_the_main_thread_is_torn_out() -> None:
    """No library can swallow it, for it is no Exception."""
    code, _, error = run(
        """
try:
    try:
        print("ready", flush=True)
        time.sleep(20)
    except Exception:
        time.sleep(20)
except Stopped as stopped:
    sys.exit(stopped.number)
""",
        signal.SIGUSR1,
    )
    assert (code, error) == (signal.SIGUSR1, "")


def test_in_a_training_it_is_remembered_and_said_once() -> None:
    code, _, error = run(
        """
stop.deferred = True
print("ready", flush=True)
end = time.monotonic() + 1
while time.monotonic() < end:
    print("words", "." * 200, file=sys.stderr, flush=True)
sys.exit(stop.number)
""",
        signal.SIGTERM,
        signal.SIGUSR2,
        signal.SIGTERM,
    )
    assert code == signal.SIGTERM
    assert error.count("SIGTERM: stopping after this step; Ctrl-C once more ends at once\n") == 1
    assert error.count("stopping") == 1


def test_a_second_ctrl_c_ends_at_once() -> None:
    code, _, _ = run("stop.deferred = True; print('ready', flush=True); time.sleep(20)", signal.SIGINT, signal.SIGINT)
    assert code == -signal.SIGINT


def test_a_library_that_does_not_listen_is_ended_where_nothing_is_trained() -> None:
    """A call of C that takes long, as the fitting of a tokenizer does, or a rank's waiting for the others."""
    code, _, error = run(
        """
preemption.PATIENCE = 0.3
stop.watch()
threading.Timer(0.5, lambda: print("ready", flush=True)).start()  # when the main thread is deaf already
lock = ctypes.CDLL(None).pthread_mutex_lock
mutex = (ctypes.c_char * 64)()
lock(mutex)
lock(mutex)
""",
        signal.SIGTERM,
    )
    assert code == 75
    assert "SIGTERM ends this process" in error


def test_forked_processes_have_the_systems_own_answers() -> None:
    code, said, _ = run("""
pid = os.fork()
if not pid:
    print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
""")
    assert (code, said.strip()) == (0, "True")
