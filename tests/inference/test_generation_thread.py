"""The thread that models compute in: its settings stay in it, errors come out of it, and it ends with Python."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from quatrain.inference.own_thread import computing_in_own_thread

LEFT_WAITING = """
from contextlib import contextmanager
from quatrain.inference.own_thread import closed_at_exit, computing_in_own_thread

class Loaded:
    @contextmanager
    def computing(self):
        yield
        print("left")

def items():
    with computing_in_own_thread(Loaded()) as call:
        try:
            while True:
                yield call(int, "3")
        finally:
            print("closed")

waiting = closed_at_exit(items())
print(next(waiting))
"""


class Recorded:
    """Stands for a loaded model: notes in which thread its context begins and ends."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    @contextmanager
    def computing(self) -> Iterator[None]:
        self.threads.append(threading.current_thread().name)
        try:
            yield
        finally:
            self.threads.append(threading.current_thread().name)


def test_all_is_computed_in_one_thread_within_the_context() -> None:
    loaded: Any = Recorded()
    with computing_in_own_thread(loaded) as call:
        named = [call(lambda: threading.current_thread().name) for _ in range(3)]
        assert len(loaded.threads) == 1
        with pytest.raises(ZeroDivisionError):
            call(divmod, 1, 0)
        assert call(divmod, 7, 4) == (1, 3)
    assert {*named, *loaded.threads} == {loaded.threads[0]}
    assert len(loaded.threads) == 2
    assert loaded.threads[0] != threading.current_thread().name


def test_what_still_waits_is_closed_when_python_ends() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT_WAITING], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\nclosed\nleft\n", "")
