"""Proves what a sweep shows: plain lines in a log, each once; on a terminal one place, drawn anew and left empty."""

import io
import os
import pty
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from quatrain.runs.directory import RunDirectory
from quatrain.runs.units import in_whole_seconds
from quatrain.sweeps.ending import tell_end
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.progress import Progress
from quatrain.sweeps.reached import reached

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still unless a test moves it."""
    moment = [1000.0]
    monkeypatch.setattr("quatrain.sweeps.progress.time.monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A terminal of 80 by 24, and what was written to it so far."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    written = ""

    def read() -> str:
        nonlocal written
        while True:
            try:
                written += os.read(ours, 65536).decode()
            except BlockingIOError:
                return written

    with os.fdopen(theirs, "w") as stream:
        yield stream, read
    os.close(ours)


def a_result(job: Job, folder: Path, value: float | None, **more: Any) -> Ended:
    run = RunDirectory.create(folder / f"job-{job.number}-{job.identity}", job.config, job.overrides)
    run.write_result({"monitor": "val/loss", "mode": "min", "best": {"val/loss": value, "step": 3}})
    return Ended(job, "done", run, **{"seconds": 10.0, **more})


def begin(shown: Progress, now: list[float], jobs: list[Job]) -> None:
    """Half a second goes by."""
    shown.show(jobs, [])
    now[0] += 0.5
    shown.show(jobs, [])


def test_lines_of_a_log(a_job: MakeJob, tmp_path: Path, now: list[float]) -> None:
    """Each job begins and ends once, with the sums, the best and the time left."""
    jobs, stream = [a_job(number) for number in range(4)], io.StringIO()
    with Progress(4, tmp_path, stream=stream) as shown:
        for job, value in zip(jobs[:2], (0.5, 0.25), strict=True):
            begin(shown, now, [job])
            shown.show([job], [])
            now[0] += 9.5
            shown.ended(a_result(job, tmp_path, value))
        begin(shown, now, [jobs[2]])
        now[0] += 3.5
        shown.ended(Ended(jobs[2], "failed", None, "it broke", 4.0))
        shown.ended(a_result(jobs[3], tmp_path, 0.75, seconds=0.0, skipped=True))
    best = "best val/loss 0.25 by seed-1"
    assert stream.getvalue().splitlines() == [
        "job 0 begins: seed-0",
        "job 0 done after 10 s: seed-0  val/loss 0.5  [1 of 4 over, best val/loss 0.5 by seed-0, about 30 s left]",
        "job 1 begins: seed-1",
        f"job 1 done after 10 s: seed-1  val/loss 0.25  [2 of 4 over, {best}, about 20 s left]",
        "job 2 begins: seed-2",
        f"job 2 failed after 4 s: seed-2: it broke  [3 of 4 over, 1 failed, {best}, about 10 s left]",
        f"job 3 was done already: seed-3  val/loss 0.75  [4 of 4 over, 1 failed, 1 done before, {best}]",
    ]


def test_a_job_that_is_only_looked_at_does_not_begin(a_job: MakeJob, tmp_path: Path, now: list[float]) -> None:
    """One that another sweep works on is looked at every half second; when it begins at last, it does so once."""
    stream, job = io.StringIO(), a_job()
    with Progress(1, tmp_path, stream=stream) as shown:
        for _ in range(3):
            shown.show([job], [])
            now[0] += 0.5
            shown.show([], [job])
        assert stream.getvalue() == ""
        for _ in range(2):
            begin(shown, now, [job])
            shown.show([], [job])
    assert stream.getvalue() == "job 0 begins: seed-0\n"


def test_the_time_left_knows_of_jobs_side_by_side_and_under_way(
    a_job: MakeJob, tmp_path: Path, now: list[float]
) -> None:
    """Six of ten seconds each are left for two at a time, of which one has three behind it."""
    stream = io.StringIO()
    with Progress(7, tmp_path, jobs=2, stream=stream) as shown:
        shown.show([a_job(0), a_job(1)], [])
        now[0] += 3
        shown.ended(Ended(a_job(0), "done", seconds=10.0))
    assert "about 28 s left" in stream.getvalue()  # (6 * 10 - 3) / 2


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (185, "3:05 min"), (3723, "1:02:03 h")]
)
def test_times(seconds: float, words: str) -> None:
    assert in_whole_seconds(seconds) == words


def test_a_log_that_wants_colours_is_no_terminal(
    a_job: MakeJob, tmp_path: Path, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those who collect logs set it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    with Progress(1, tmp_path, stream=stream) as shown:
        begin(shown, now, [a_job()])
    assert stream.getvalue() == "job 0 begins: seed-0\n"


def test_a_long_line_of_a_log_is_one_line(a_job: MakeJob, tmp_path: Path) -> None:
    stream = io.StringIO()
    why = "[red]it[/red] :smile: " + "broke " * 100
    with Progress(1, tmp_path, stream=stream) as shown:
        shown.ended(Ended(a_job(), "failed", None, why))
    (line,) = stream.getvalue().splitlines()
    assert why in line


Terminal = tuple[TextIO, Callable[[], str]]
CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_terminal_is_drawn_anew_and_left_empty(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal
) -> None:
    stream, written = terminal
    jobs = [a_job(number, trainer={"devices": 1, "max_epochs": 3, "max_steps": -1}) for number in range(12)]
    run = RunDirectory.create(tmp_path / f"job-{jobs[0].identity}", jobs[0].config, jobs[0].overrides)
    run.metrics_file.write_text("step,epoch,train/loss\n1,0,2.5\n2,0,1.23456\n3,")
    with Progress(12, tmp_path, jobs=10, stream=stream) as shown:
        begin(shown, now, jobs[:10])
        shown.show(jobs[:10], jobs[10:11])
        first = CURSOR.sub("", written())
        begin(shown, now, jobs[1:3])
    assert "job 0" in first
    assert "epoch 1/3, step 2, train/loss 1.235" in first
    assert "and 2 more" in first
    assert "1 run by another sweep" in first
    assert "0 of 12 over" in first
    assert screen(written()) == []


def test_what_has_ended_stays_above_the_table(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal
) -> None:
    """A line each, of a failure the first sentence; what was done before is only counted."""
    stream, written = terminal
    with Progress(3, tmp_path, stream=stream) as shown:
        begin(shown, now, [a_job(1)])
        shown.ended(Ended(a_job(0), "failed", None, "it broke. Try 1.5 of it."))
        shown.ended(Ended(a_job(1), "done"))
        shown.ended(Ended(a_job(1), "done", skipped=True))
        begin(shown, now, [a_job(2)])
    assert screen(written()) == ["job 0 failed after 0 s: seed-0: it broke.", "job 1 done after 0 s: seed-1"]


def test_names_are_whole_before_the_first_step(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal
) -> None:
    """Two jobs that differ at their ends are told apart, with nothing to say of how far they are."""
    stream, written = terminal
    with Progress(2, tmp_path, jobs=2, stream=stream) as shown:
        begin(shown, now, [a_job(number, overrides=[f"optimizer.lr=0.00{number}", "seed=1"]) for number in (1, 3)])
    assert "lr-0.001_seed-1" in written()
    assert "lr-0.003_seed-1" in written()


def screen(written: str) -> list[str]:
    """What a terminal shows in the end, as far as rich's codes go: up, erase the line, carriage return."""
    lines, row, column = [""], 0, 0
    for text in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", written):
        if text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text == "\r":
            column = 0
        elif text.startswith("\x1b"):
            if text.endswith("A"):
                row = max(0, row - int(text[2:-1] or 1))
            elif text.endswith("K"):
                lines[row] = ""
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text
            column += len(text)
    return [line.rstrip() for line in lines if line.strip()]


def test_a_terminal_that_cannot_redraw_has_lines(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, written = terminal
    monkeypatch.setenv("TERM", "dumb")
    with Progress(1, tmp_path, stream=stream) as shown:
        begin(shown, now, [a_job()])
    assert written().split() == ["job", "0", "begins:", "seed-0"]


def test_what_a_user_wrote_commands_no_terminal(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    """In overrides, in the sentence of a failure and in the name of the folder."""
    stream, written = terminal
    job = a_job(overrides=["name=\x1b]0;owned\x07[bold]x[/bold]"])
    ended = Ended(job, "failed", None, "\x1b[2J[/nothing] it broke")
    with Progress(1, tmp_path, stream=stream) as shown:
        begin(shown, now, [job])
        shown.ended(ended)
    assert tell_end([ended], tmp_path / "a\x1b[31mb", total=1) == 1
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "[/nothing] it broke" in told
    assert "\x1b]0" not in written()
    assert "\x1b[2J" not in written()
    assert "\x07" not in written()


def test_how_far_a_job_is_of_how_much(tmp_path: Path) -> None:
    """Steps have a limit where one is set, and epochs where none of steps may come first."""
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("step,epoch\n2,0\n")
    assert reached(metrics, {"trainer": {"max_epochs": 3, "max_steps": 1500}}) == "epoch 1, step 2/1,500"
    assert reached(metrics, {"trainer": {"max_epochs": 3, "max_steps": -1}}) == "epoch 1/3, step 2"
    assert reached(metrics, {"trainer": {"max_epochs": None}}) == "epoch 1, step 2"


@pytest.mark.parametrize(
    "metrics",
    [
        b"",
        b"step,epoch",
        b"step,epoch,train/loss\n",
        b"step,train/loss\n1,many\n",
        b'step,train/loss\n1,"2\n',
        b"step,train/loss\r1,2\r\n\x00,\xff\n",
        b"step,train/loss\n" + b"9,1.5\n" * 2000,
    ],
)
def test_metrics_that_are_torn_or_none_end_no_sweep(
    a_job: MakeJob, tmp_path: Path, now: list[float], terminal: Terminal, metrics: bytes
) -> None:
    stream, written = terminal
    run = RunDirectory.create(tmp_path / f"job-{a_job().identity}", a_job().config, [])
    run.metrics_file.write_bytes(metrics)
    with Progress(1, tmp_path, stream=stream) as shown:
        begin(shown, now, [a_job()])
        assert "job 0" in written()
        assert ("step 9, train/loss 1.5" in written()) == (len(metrics) > 100)


@pytest.mark.parametrize("result", ["{", "[]", "{}", '{"monitor": "val/loss"}', '{"monitor": "val/loss", "best": 3}'])
def test_a_result_that_cannot_be_read_ends_no_sweep(
    a_job: MakeJob, tmp_path: Path, result: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = a_result(a_job(0), tmp_path, 0.5), a_result(a_job(1), tmp_path, 0.1)
    assert bad.run
    bad.run.result.write_text(result)
    stream = io.StringIO()
    with Progress(2, tmp_path, stream=stream) as shown:
        shown.ended(bad)
        shown.ended(good)
    assert "best val/loss 0.5 by seed-0" in stream.getvalue()
    assert tell_end([bad, good], tmp_path, total=2) == 0
    assert "best: val/loss 0.5 by seed-0" in capsys.readouterr().err


def test_the_end_tells_every_failure_with_its_log(
    a_job: MakeJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1 where one failed, was killed from outside or not started; a pruned one did what it should."""
    done, pruned = a_result(a_job(0), tmp_path, 0.5), Ended(a_job(1), "pruned")
    assert tell_end([done, pruned], tmp_path, total=2) == 0
    assert "1 of 2 jobs done, 1 pruned" in capsys.readouterr().err
    assert tell_end([done], tmp_path, total=2) == 1
    assert "1 of 2 jobs done, 1 not started" in capsys.readouterr().err
    run = RunDirectory.create(tmp_path / "failed", a_job(2).config, [])
    failed = Ended(a_job(2), "failed", run, "it broke")
    killed = Ended(a_job(3), "interrupted", None, "The process ended without a word.")
    assert tell_end([failed, done], tmp_path, total=2) == 1
    assert tell_end([killed, done], tmp_path, total=2) == 1
    words = capsys.readouterr().err
    assert f"failed\n  job 2, seed-2: it broke\n    {run.path}/console.log\n" in words
    assert not any(line != line.rstrip() for line in words.splitlines())
    assert "The process ended without a word." in words
