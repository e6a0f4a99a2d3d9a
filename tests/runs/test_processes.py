"""Proves with real processes: exit codes, the worker's environment, signals, and that nothing outlives its starter."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.runs.identity import start_of
from quatrain.runs.processes import STARTER_VARIABLE, start_worker, worker_environment

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the module `pretended_worker`, which stands in for the real one."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), SOURCE)))

    def write(code: str) -> None:
        (tmp_path / "pretended_worker.py").write_text(code)

    return write


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def is_gone(pid: int) -> bool:
    return start_of(pid) is None


def test_the_worker_gets_the_run_directory_and_its_exit_code_comes_back(
    worker: Callable[[str], None], tmp_path: Path
) -> None:
    worker("import sys, pathlib; pathlib.Path(sys.argv[1], 'seen').write_text(' '.join(sys.argv[2:])); sys.exit(3)")
    assert start_worker(tmp_path, arguments=["resume"], module="pretended_worker") == 3
    assert (tmp_path / "seen").read_text() == "resume"


def test_a_worker_that_was_killed_has_the_shells_exit_code(worker: Callable[[str], None], tmp_path: Path) -> None:
    worker("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert start_worker(tmp_path, module="pretended_worker") == 137


def test_the_environment_of_a_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The launch folder is importable only where classes of the user's own are allowed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.delenv("QUATRAIN_ALLOW", raising=False)
    environment = worker_environment({"OMP_NUM_THREADS": "7"})
    assert "HYDRA_FULL_ERROR" not in environment
    assert environment["PYTHONSAFEPATH"] == "1"
    assert environment["PYTHONPATH"] == "elsewhere"
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment[STARTER_VARIABLE] == str(os.getpid())
    monkeypatch.setenv("QUATRAIN_ALLOW", "mine")
    assert worker_environment()["PYTHONPATH"] == os.pathsep.join((str(tmp_path), "elsewhere"))


def start_a_starter(tmp_path: Path) -> subprocess.Popen:
    code = (
        "import sys; from quatrain.runs.processes import start_worker;"
        "sys.exit(start_worker(sys.argv[1], module='pretended_worker'))"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_handed_on_once(worker: Callable[[str], None], tmp_path: Path, number: signal.Signals) -> None:
    worker(f"""
import pathlib, signal, sys, time
seen = []
signal.signal({int(number)}, lambda number, frame: seen.append(number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [{int(number)}])  # held back by the starter until now
pathlib.Path(sys.argv[1], "ready").touch()
while not seen:
    time.sleep(0.02)
time.sleep(0.2)
sys.exit(10 + len(seen))
""")
    starter = start_a_starter(tmp_path)
    assert wait_for((tmp_path / "ready").exists, 10)
    starter.send_signal(number)
    assert starter.wait(10) == 11


FAMILY = """
import multiprocessing, os, pathlib, subprocess, sys, time
from quatrain.runs.processes import end_with_parent
end_with_parent()
folder = pathlib.Path(sys.argv[1])

def loader_worker():
    (folder / "loader").write_text(str(os.getpid()))
    time.sleep(60)

if sys.argv[2:] == ["rank"]:
    (folder / "rank").write_text(str(os.getpid()))
    time.sleep(60)
multiprocessing.get_context("fork").Process(target=loader_worker).start()
subprocess.Popen([sys.executable, "-m", "pretended_worker", sys.argv[1], "rank"])
(folder / "worker").write_text(str(os.getpid()))
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_killed_starter_takes_worker_ranks_and_loaders_along(
    worker: Callable[[str], None], tmp_path: Path, number: signal.Signals
) -> None:
    """kill -9 ends all four within two seconds; a starter that is only stopped ends nobody."""
    worker(FAMILY)
    starter = start_a_starter(tmp_path)
    files = [tmp_path / name for name in ("worker", "rank", "loader")]
    assert wait_for(lambda: all(file.exists() and file.read_text() for file in files), 15)
    pids = [int(file.read_text()) for file in files]
    starter.send_signal(number)
    gone = wait_for(lambda: all(map(is_gone, pids)), 2 if number == signal.SIGKILL else 0.5)
    starter.kill()
    starter.wait()
    assert gone == (number == signal.SIGKILL)
    assert wait_for(lambda: all(map(is_gone, pids)), 2)


def test_a_watching_thread_does_it_where_the_kernel_does_not(worker: Callable[[str], None], tmp_path: Path) -> None:
    worker("""
import os, pathlib, sys, time
from quatrain.runs.processes import watch_parent
watch_parent(os.getppid())
pathlib.Path(sys.argv[1], "worker").write_text(str(os.getpid()))
time.sleep(60)
""")
    starter = start_a_starter(tmp_path)
    file = tmp_path / "worker"
    assert wait_for(lambda: file.exists() and bool(file.read_text()), 10)
    starter.kill()
    starter.wait()
    assert wait_for(lambda: is_gone(int(file.read_text())), 2)


def test_a_worker_whose_starter_is_already_gone_ends_at_once(worker: Callable[[str], None], tmp_path: Path) -> None:
    worker("from quatrain.runs.processes import end_with_parent; end_with_parent(); print('alive')")
    environment = worker_environment() | {STARTER_VARIABLE: str(2**22 + 1)}
    command = [sys.executable, "-m", "pretended_worker"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


def test_a_worker_started_by_hand_lives(worker: Callable[[str], None]) -> None:
    worker("from quatrain.runs.processes import end_with_parent; end_with_parent(); print('alive')")
    environment = worker_environment()
    del environment[STARTER_VARIABLE]
    command = [sys.executable, "-m", "pretended_worker"]
    assert subprocess.run(command, env=environment, capture_output=True, check=True).stdout == b"alive\n"


def test_a_signal_that_comes_before_the_worker_listens_waits_for_it(
    worker: Callable[[str], None], tmp_path: Path
) -> None:
    worker("""
import pathlib, sys, time
pathlib.Path(sys.argv[1], "ready").touch()
time.sleep(0.5)
from quatrain.training.preemption import Stopped, StopRequest
try:
    StopRequest().listen()
except Stopped as stopped:
    sys.exit(stopped.number)
""")
    starter = start_a_starter(tmp_path)
    assert wait_for((tmp_path / "ready").exists, 10)
    starter.send_signal(signal.SIGTERM)
    assert starter.wait(10) == signal.SIGTERM


@pytest.mark.parametrize("first", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,)])
def test_ctrl_c_once_more_ends_the_worker(
    worker: Callable[[str], None], tmp_path: Path, first: tuple[signal.Signals, ...]
) -> None:
    """Any other signal may come twice: clusters send theirs to a whole tree of processes."""
    worker("""
import pathlib, sys, time
from quatrain.training.preemption import StopRequest
stop = StopRequest()
stop.deferred = True
stop.listen()
pathlib.Path(sys.argv[1], "ready").touch()
time.sleep(60)
""")
    starter = start_a_starter(tmp_path)
    assert wait_for((tmp_path / "ready").exists, 10)
    for number in first:
        starter.send_signal(number)
        time.sleep(0.2)
    assert starter.poll() is None
    starter.send_signal(signal.SIGINT)
    assert starter.wait(2) == 130


def test_a_signal_at_the_very_end_changes_no_exit_code(tmp_path: Path) -> None:
    """The interpreter gives its handlers up before it is gone, and other threads may still take a signal."""
    code = """
import os, signal, sys, threading, time
from quatrain.core.asking import ignore
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
signal.signal(signal.SIGTERM, print)
sys.late = Late()
ignore()
sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
