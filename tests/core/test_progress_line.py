"""The progress line: on a terminal after a second of work, gone at the end, and nothing in a pipe."""

import io

import pytest

from quatrain.core import progress_line
from quatrain.core.progress_line import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_work_shows_its_rate_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    terminal = Terminal()
    with ProgressLine("encoding", total=400, unit="tokens", stream=terminal) as line:
        line.show(50, 1)
        assert terminal.getvalue() == ""
        now[0] += 10
        line.show(100, 20_000_000)
        assert terminal.getvalue() == "\rencoding: 20.0 million tokens, 2.00 million/s, 25%, 0:30 left"
        now[0] += 0.1
        line.show(101, 20_000_001)  # too soon after the last
    shown = terminal.getvalue().split("\r")
    assert shown[2].strip() == ""
    assert len(shown[2]) == len(shown[1])


def test_a_pipe_and_a_short_work_stay_silent() -> None:
    pipe, terminal = io.StringIO(), Terminal()
    for stream in (pipe, terminal):
        with ProgressLine("reading", unit="characters", stream=stream) as line:
            line.show(1, 1)
        assert stream.getvalue() == ""


def test_rows_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    terminal = Terminal()
    with ProgressLine("predicting", unit="rows", millions=False, stream=terminal) as line:
        now[0] += 10
        line.show(12_340, 12_340)
        assert terminal.getvalue() == "\rpredicting: 12,340 rows, 1,234/s"
