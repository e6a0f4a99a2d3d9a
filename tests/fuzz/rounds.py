"""Running a property over random input: rounds for as long as FUZZ_SECONDS says, or one short round."""

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SHARES = 6
"""How many properties divide the time."""

FIRST_ROUND = int(os.environ.get("FUZZ_SEED", "0"))
LONGEST = 30.0
"""Seconds after which one example counts as a hang."""


def rounds(strategy: SearchStrategy[Any], check: Callable[[Any], None], examples: int) -> None:
    """Run ``check`` on ``examples`` of ``strategy``, round after round until the time's share is over.

    Without a time it is one round of fewer, always the same.
    """
    end = time.monotonic() + SECONDS / SHARES
    number = FIRST_ROUND

    def one(example: Any) -> None:
        with limited():
            check(example)

    while True:
        run = given(strategy)(one)
        run = settings(
            max_examples=examples if SECONDS else max(2, examples // 4),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # an example is found sooner than it is made small
        )(run)
        seed(number)(run)()
        number += 1
        if time.monotonic() >= end:
            return


class TooLong(BaseException):
    """A hang. No ordinary error, so that nothing on the way takes it for one of its own."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise after `LONGEST` seconds."""

    def too_long(*_: Any) -> None:
        raise TooLong(f"more than {LONGEST:g} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Room:
    """A folder to run a command in, and around it what no command may touch."""

    def __init__(self, folder: Path, number: int) -> None:
        self.around = folder / f"room{number}"
        self.inside = self.around / "work" / "here"
        self.inside.mkdir(parents=True)
        (self.around / "outside.txt").write_text("not yours\n", encoding="utf-8")

    def run(self, words: list[str]) -> tuple[int, str]:
        """Run ``quatrain`` in this process and in this room; its exit code and what it said on stderr.

        Raises:
            AssertionError: the exit code or the sentences are none that the command line promises, or something
                around the room was touched.
        """
        from quatrain.__main__ import main

        before, err = Path.cwd(), io.StringIO()
        os.chdir(self.inside)
        try:
            with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
                code = main(words)
        finally:
            os.chdir(before)
        said = err.getvalue()
        self.untouched()
        judge(words, code, said)
        return code, said

    def untouched(self) -> None:
        """Raise where something outside of the room has changed."""
        found = {
            str(path.relative_to(self.around)) for path in self.around.rglob("*") if self.inside not in path.parents
        }
        assert found == {"outside.txt", "work", "work/here"}, found
        assert (self.around / "outside.txt").read_text(encoding="utf-8") == "not yours\n"


def judge(words: list[str], code: int, said: str) -> None:
    """Raise where an exit code or what was said is none that the command line promises."""
    assert code in (0, 1, 2), (words, code, said)
    assert "Traceback" not in said, (words, said)
    if code:
        lines = [line for line in said.splitlines() if line.startswith(("error: ", "failed: "))]
        assert lines, (words, code, said)
