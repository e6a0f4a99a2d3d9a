"""Running the jobs of a sweep, several at a time, each once."""

import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from quatrain.core.asking import ASKING, held
from quatrain.sweeps.dealing import Dealer, Share
from quatrain.sweeps.job import Ended, Job, Source
from quatrain.sweeps.progress import Progress

POLL_SECONDS = 0.5
"""How often a job that another sweep works on is asked for, and the table is drawn anew."""

RunOne = Callable[[Job, Share], Ended | None]
"""Runs a job to its end in the calling thread, with its share of the machine; None where another process is at it."""


class Schedule:
    """What waits, runs and has ended.

    Equal jobs (`Job.identity`) run once and share what came of it. A job that another sweep works on is asked for
    again until that has ended it or is gone, and meanwhile others run. After a failure with ``fail_fast``, or after
    `stop`, no further job starts.

    Args:
        source: gives the jobs, and hears of each one's end.
        run_one: runs one, in a thread of its own.
        dealer: deals the machine out.
        jobs: how many run at a time.
        fail_fast: whether the first failure is the last.
        progress: shows it to the user.
    """

    def __init__(
        self, source: Source, run_one: RunOne, *, dealer: Dealer, jobs: int, fail_fast: bool, progress: Progress
    ) -> None:
        self._source, self._run_one, self._dealer = source, run_one, dealer
        self._jobs, self._fail_fast, self._progress = jobs, fail_fast, progress
        self._running: dict[str, Job] = {}
        self._elsewhere: deque[tuple[Job, float]] = deque()
        """Jobs that another sweep works on, and when that was found."""
        self._twins: dict[str, list[Job]] = {}
        self._over: dict[str, Ended] = {}
        self._next: Job | None = None
        self._all: list[Ended] = []
        self._returned: queue.SimpleQueue[tuple[Job, Share, Ended | BaseException | None]] = queue.SimpleQueue()
        self._stopping = False

    def stop(self) -> None:
        """Start no further job; those that run are the caller's to end."""
        self._stopping = True

    def run(self) -> list[Ended]:
        """Run all, and return how each ended, in the order of their ends."""
        while True:
            self._fill()
            if not self._running and (self._stopping or not (self._elsewhere or self._next)):
                return self._all
            self._take_back()
            self._progress.show(list(self._running.values()), [job for job, _ in self._elsewhere])

    def _fill(self) -> None:
        """Start jobs while there is room."""
        while not self._stopping and len(self._running) < self._jobs:
            job = self._next or self._unseen()
            self._next = None
            if job is None:
                break
            if not self._start(job):
                self._next = job
                break
        now = time.monotonic()
        for _ in range(len(self._elsewhere)):
            if self._stopping or len(self._running) >= self._jobs:
                break
            job, asked = self._elsewhere.popleft()
            if now - asked < POLL_SECONDS or not self._start(job):
                self._elsewhere.append((job, asked))

    def _unseen(self) -> Job | None:
        """The next job of the source that is not equal to one which ran, runs or waits."""
        while (job := self._source.next()) is not None:
            if over := self._over.get(job.identity):
                self._end(replace(over, job=job, skipped=True))
            elif job.identity in self._running or any(job.identity == one.identity for one, _ in self._elsewhere):
                self._twins.setdefault(job.identity, []).append(job)
            else:
                return job
        return None

    def _start(self, job: Job) -> bool:
        share = self._dealer.take(job.config)
        if share is None:
            return False
        self._running[job.identity] = job
        with held():  # signals are the main thread's, and worker processes begin deaf to them
            threading.Thread(target=self._work, args=(job, share), name=f"job {job.number}", daemon=True).start()
        return True

    def _work(self, job: Job, share: Share) -> None:
        try:
            ended: Ended | BaseException | None = self._run_one(job, share)
        except BaseException as error:
            ended = error
        self._returned.put((job, share, ended))

    def _take_back(self) -> None:
        """Wait a moment for a job's end, and note it."""
        try:
            job, share, ended = self._returned.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return
        del self._running[job.identity]
        self._dealer.give_back(share)
        if isinstance(ended, BaseException):
            raise ended
        if ended is None:
            self._elsewhere.append((job, time.monotonic()))
            return
        self._over[job.identity] = ended
        self._end(ended)
        for twin in self._twins.pop(job.identity, []):
            self._end(replace(ended, job=twin, skipped=True))
        if ended.status == "failed" and self._fail_fast:
            self._stopping = True

    def _end(self, ended: Ended) -> None:
        self._all.append(ended)
        self._source.ended(ended)
        self._progress.ended(ended)


@contextmanager
def listening(stop: Callable[[int], object], kill: Callable[[], object]) -> Iterator[list[int]]:
    """Within the block the signals that ask for a stop call ``stop``, and a second Ctrl-C ``kill``; yield them all."""
    received: list[int] = []

    def receive(number: int, _: Any) -> None:
        again = number == signal.SIGINT and number in received
        received.append(number)
        if again:
            kill()
        else:
            stop(number)

    before = {number: signal.signal(number, receive) for number in ASKING}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
