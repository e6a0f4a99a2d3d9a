"""Preprocessing jobs side by side on this machine, each in a fresh process."""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.asking import held
from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED, KILLED
from quatrain.core.terminal import one_line
from quatrain.runs.preprocessing import ANSWER, REQUEST
from quatrain.sweeps.forkserver import warm_up
from quatrain.sweeps.job import Job
from quatrain.sweeps.local import SweepInterrupted
from quatrain.sweeps.schedule import listening
from quatrain.sweeps.workers import CONSOLE, Workers

MODULE = "quatrain.runs.preprocessing"
_TAIL = 400


@dataclass(frozen=True)
class Made:
    """What came of a preprocessing job: ``sentence`` says what it did, or ``mistakes`` why it failed."""

    job: Job
    sentence: str | None
    mistakes: Sequence[str] = ()
    published: str | None = None

    @classmethod
    def of(cls, job: Job, answer: Mapping[str, Any]) -> "Made":
        """What the answer of a job's process says; what it said on the way is told."""
        for line in answer["said"]:
            print(f"job {job.number}: {one_line(line)}", file=sys.stderr, flush=True)
        return cls(job, answer.get("sentence"), answer.get("mistakes", ()), answer.get("published"))


def make_all(jobs: Sequence[Job], *, at_once: int, fail_fast: bool) -> list[Made]:
    """Run the jobs, ``at_once`` at a time; tell of each as it ends.

    Raises:
        SweepInterrupted: a signal ended it; the same command goes on with it.
    """
    workers = Workers()
    warm_up()
    waiting, ended, stopped = list(jobs), list[Made](), False
    running: set[Future[Made]] = set()

    def stop(number: int) -> None:
        nonlocal stopped
        stopped = True
        workers.hand_on(number)

    # Threads take over what is held back where they start: signals are the main thread's.
    with listening(stop, workers.kill) as received, ThreadPoolExecutor(at_once) as pool:
        while running or (waiting and not stopped):
            while waiting and not stopped and len(running) < at_once:
                with held():
                    running.add(pool.submit(_make, workers, waiting.pop(0)))
            over, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in over:
                ended.append(made := future.result())
                if not received:
                    tell(made)
                stopped = stopped or bool(made.mistakes and fail_fast)
    if received:
        raise SweepInterrupted(KILLED if workers.killed else INTERRUPTED)
    return ended


def tell(made: Made) -> None:
    """Say what came of a job."""
    for line in made.mistakes or [made.sentence or ""]:
        print(
            f"job {made.job.number}{' failed' if made.mistakes else ''}: {one_line(line)}", file=sys.stderr, flush=True
        )


def tell_all(ended: Sequence[Made], total: int) -> int:
    """Say how all jobs ended and where what was made lies; return the exit code."""
    failed = sorted(made.job.number for made in ended if made.mistakes)
    done = len(ended) - len(failed)
    sums = [f"{done} of {total} jobs done"]
    sums += [f"{len(failed)} failed ({', '.join(map(str, failed))})"] if failed else []
    sums += [f"{total - len(ended)} not started"] if total > len(ended) else []
    print(", ".join(sums), file=sys.stderr)
    places = {made.published for made in ended if made.published}
    for folder in sorted(places):
        print(f"written to {folder}; train on it with data.source={folder}", file=sys.stderr)
    if not places and not failed:
        print("no corpus is complete yet: the other shards are still to come", file=sys.stderr)
    return FAILED if failed or total > len(ended) else DONE


def _make(workers: Workers, job: Job) -> Made:
    with tempfile.TemporaryDirectory(prefix="quatrain-preprocess-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(job.config), encoding="utf-8")
        code = workers.slot(cold=False, module=MODULE).start(folder)
        if (folder / ANSWER).exists():
            return Made.of(job, json.loads((folder / ANSWER).read_text(encoding="utf-8")))
        return Made(job, None, [_died(code, folder / CONSOLE)])


def _died(code: int, console: Path) -> str:
    words = console.read_text(encoding="utf-8", errors="replace").strip() if console.exists() else ""
    what = f"was ended by signal {code - 128}" if code > 128 else f"ended with exit code {code}"
    last = words.splitlines()[-1][-_TAIL:] if words else "it said nothing"
    return f"the process {what} ({last}); the same command starts it again"
