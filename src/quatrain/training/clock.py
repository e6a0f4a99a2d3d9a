"""Seconds of pure training, and those of them in which nothing was there to train on."""

import time
from typing import Any

from pytorch_lightning.profilers import PassThroughProfiler, Profiler

ASKING = "train_dataloader_next"
"""How Lightning's name for the fetching of a training batch ends."""


class Clock:
    """Runs from the first training batch on, and rests in between: while validating, or between two epochs.

    It goes on when the next batch is asked for, so that a loader that starts slowly is seen.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waited = 0.0
        self._since: float | None = None
        self._asked: float | None = None
        self._begun = False

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self._seconds + (0.0 if self._since is None else time.perf_counter() - self._since)

    @property
    def waited(self) -> float:
        """How long of `seconds` there was no batch though one was asked for."""
        return self._waited

    def set(self, seconds: float, waited: float) -> None:
        """Go on from what another showed."""
        self._seconds, self._waited = seconds, waited

    def run(self) -> None:
        """Run, where it does not yet."""
        self._begun = True
        if self._since is None:
            self._since = time.perf_counter()

    def rest(self) -> None:
        """Stand still until a batch is asked for, or `run`."""
        self._seconds, self._since = self.seconds, None

    def ask(self) -> None:
        """A batch is asked for; the first one of all belongs to the start."""
        if self._begun:
            self.run()
            self._asked = time.perf_counter()

    def have(self) -> None:
        """The batch is there, or there is none left."""
        if self._asked is not None:
            self._waited += time.perf_counter() - self._asked
            self._asked = None


class Waiting(Profiler):
    """Tells a `Clock` when Lightning asks for a training batch; profiles nothing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def start(self, action_name: str) -> None:
        """An action of Lightning's begins."""
        if action_name.endswith(ASKING):
            self.clock.ask()

    def stop(self, action_name: str) -> None:
        """An action of Lightning's is over."""
        if action_name.endswith(ASKING):
            self.clock.have()


def listen(trainer: Any, clock: Clock) -> bool:
    """Have ``trainer`` tell ``clock`` of its waiting; False where the user chose a profiler, which takes that place."""
    if isinstance(trainer.profiler, PassThroughProfiler | Waiting):
        trainer.profiler = Waiting(clock)
        return True
    return False
