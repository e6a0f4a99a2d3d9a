"""Proves with real processes that a claim is held once, broken when its holder is gone, and never while it lives."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quatrain.core.errors import NotNow
from quatrain.runs.identity import start_of
from quatrain.sweeps import claims
from quatrain.sweeps.claims import STALE_SECONDS, Claim, claim, space

SOURCE = str(Path(__file__).resolve().parents[2] / "src")

CLAIMING = """
import os, sys, time
from pathlib import Path
from quatrain.sweeps.claims import claim
begin, path = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while not begin.exists():
    pass
held = claim(path, on_lost=lambda: os._exit(9))
print("held" if held else "other", flush=True)
sys.stdin.read()
"""

Process = subprocess.Popen[str]


@pytest.fixture
def claiming(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts processes that claim `path` when `begin` is there, say how it went, and stay."""
    begun: list[Process] = []

    def start() -> Process:
        command = [sys.executable, "-c", CLAIMING, str(tmp_path / "begin"), str(tmp_path / "claims" / "job")]
        own = os.environ | {"PYTHONPATH": SOURCE}
        process = subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claims" / "job"


def said(process: Process) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def unexpected() -> None:
    raise AssertionError("nobody took it")


def taken(path: Path) -> Claim:
    held = claim(path, on_lost=unexpected)
    assert held
    return held


def write(
    path: Path, *, host: str = "elsewhere", inside: str = "", pid: object = 1, start: object = "", age: float = 0.0
) -> None:
    """A claim that another holder has written, and renewed ``age`` seconds ago."""
    path.parent.mkdir(exist_ok=True)
    process = {"pid": pid, "process_start": start, "mark": "another"}
    path.write_text(json.dumps({"host": host, "space": inside or space(), **process}))
    os.utime(path, (time.time() - age,) * 2)


def wait_for(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.005)


def test_of_many_processes_one_gets_it_and_another_when_that_is_killed(
    claiming: Callable[[], Process], path: Path, tmp_path: Path
) -> None:
    """All ask in the same moment; kill -9 of the holder lets the next in at once, and the claim names who holds it."""
    several = [claiming() for _ in range(5)]
    for process in several:
        assert said(process) == "ready"
    (tmp_path / "begin").touch()
    words = [said(process) for process in several]
    assert sorted(words) == ["held", *["other"] * 4]
    holder = several[words.index("held")]
    content = json.loads(path.read_text())
    assert (content["host"], content["pid"]) == (socket.gethostname(), holder.pid)
    assert content["process_start"] == start_of(holder.pid)
    assert claim(path, on_lost=unexpected) is None
    holder.kill()
    holder.wait()
    taken(path).release()


def test_of_many_threads_one_gets_it(path: Path) -> None:
    begin = threading.Barrier(8)
    held: list[Claim | None] = []

    def ask() -> None:
        begin.wait()
        held.append(claim(path, on_lost=unexpected))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (mine,) = filter(None, held)
    mine.release()
    assert len(held) == 8


def test_a_holder_that_is_only_stopped_keeps_it(claiming: Callable[[], Process], path: Path, tmp_path: Path) -> None:
    """However old the last renewal: on one host what counts is whether the process is there."""
    (tmp_path / "begin").touch()
    process = claiming()
    assert [said(process), said(process)] == ["ready", "held"]
    process.send_signal(signal.SIGSTOP)
    os.utime(path, (0, 0))
    assert claim(path, on_lost=unexpected) is None


def test_a_process_that_has_the_number_of_the_holder_is_not_the_holder(path: Path) -> None:
    write(path, host=socket.gethostname(), pid=os.getpid(), start=str(start_of(os.getpid())))
    assert claim(path, on_lost=unexpected) is None
    write(path, host=socket.gethostname(), pid=os.getpid(), start="of an earlier boot")
    taken(path).release()


def test_a_container_of_the_same_name_is_another_host(path: Path) -> None:
    """Its processes have numbers of their own, which mean others here, or none."""
    write(path, host=socket.gethostname(), inside="pid:[1]", pid=2**22 + 1)
    assert claim(path, on_lost=unexpected) is None
    write(path, host=socket.gethostname(), pid=2**22 + 1)
    taken(path).release()


@pytest.mark.parametrize("age", [STALE_SECONDS - 15, -(STALE_SECONDS - 15)])
def test_another_host_keeps_it_while_it_renews(path: Path, age: float) -> None:
    """Its process cannot be seen from here, whatever its number means here; nor does its clock matter."""
    write(path, pid=2**22 + 1, age=age)
    assert claim(path, on_lost=unexpected) is None


@pytest.mark.parametrize("age", [STALE_SECONDS + 15, -3600.0])
def test_another_host_that_is_silent_loses_it(path: Path, age: float) -> None:
    """After a minute; also where the file system's clock was put back since, so that the claim is of the future."""
    write(path, pid=os.getpid(), start=str(start_of(os.getpid())), age=age)
    taken(path).release()


def test_the_clock_is_that_of_the_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, age=0)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert claim(path, on_lost=unexpected) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"host": "here", "pi',
        b"\xff\xfe\x00",
        b"[1, 2]",
        json.dumps({"host": socket.gethostname(), "pid": "none", "process_start": None, "mark": 3}).encode(),
        json.dumps({"host": socket.gethostname()}).encode(),
    ],
)
def test_a_torn_claim_is_believed_for_a_minute(path: Path, content: bytes) -> None:
    """Nobody knows whose it is, so it is judged by its age, as another host's."""
    write(path)
    path.write_bytes(content)
    assert claim(path, on_lost=unexpected) is None
    os.utime(path, (time.time() - STALE_SECONDS - 15,) * 2)
    taken(path).release()


def test_release_removes_the_claim_and_leaves_that_of_another(path: Path) -> None:
    held = taken(path)
    assert claim(path, on_lost=unexpected) is None
    held.release()
    assert not path.exists()
    held = taken(path)
    write(path)
    held.release()
    assert "another" in path.read_text()
    assert [file.name for file in path.parent.iterdir() if file.name != "lock"] == ["job"]


def test_a_thread_renews_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.02)
    held = taken(path)
    content = path.read_text()
    os.utime(path, (0, 0))
    wait_for(lambda: time.time() - path.stat().st_mtime < 30)
    assert path.read_text() == content
    held.release()
    assert not held.lost


def test_the_holder_hears_once_that_another_took_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.02)
    heard: list[bool] = []
    held = claim(path, on_lost=lambda: heard.append(True))
    assert held
    write(path)
    written = path.stat().st_mtime_ns
    wait_for(lambda: heard)
    time.sleep(0.1)
    assert heard == [True]
    assert held.lost
    assert path.stat().st_mtime_ns == written  # nor does it renew what is another's


def test_a_file_system_that_is_away_for_a_moment_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.02)
    held = taken(path)
    away = threading.Event()
    read_text = Path.read_text

    def stale(self: Path, *arguments: object, **keywords: object) -> str:
        if self == path and not away.is_set():
            away.set()
            raise OSError(116, "Stale file handle")
        return read_text(self, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", stale)
    os.utime(path, (0, 0))
    assert away.wait(5)
    wait_for(lambda: path.stat().st_mtime > 0)
    held.release()
    assert not held.lost


def test_a_release_in_the_midst_of_a_renewal_is_no_loss(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.001)
    for _ in range(100):
        held = taken(path)
        held.release()
        assert not held.lost
    wait_for(lambda: not any(thread.name == "claim" for thread in threading.enumerate()))


def test_the_lock_of_a_process_that_was_killed_does_not_stay(path: Path) -> None:
    """It was killed between finding the claim stale and writing its own."""
    path.parent.mkdir()
    code = (
        "import os, sys, time; from filelock import FileLock; FileLock(sys.argv[1]).acquire();"
        "print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path.parent / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert said(process) == "held"
        process.kill()
    began = time.monotonic()
    taken(path).release()
    assert time.monotonic() - began < 2


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "claims").touch()
    with pytest.raises(NotNow, match="cannot be written") as told:
        claim(tmp_path / "claims" / "job", on_lost=unexpected)
    assert len(told.value.sentences) == 1
