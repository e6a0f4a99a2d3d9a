"""Where the time of a training step goes: a trace of a few steps, and a table of the dearest operations."""

import math
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.profiler import ProfilerActivity, profile, schedule

ACTIVE, ASIDE = 5, 2
"""Batches that are recorded; and before them so many that are not looked at, and as many that warm the profiler up."""

DEAREST = 10

BETWEEN = "ProfilerStep*"
"""PyTorch's name for a whole batch, whose own time is what no operation took."""

QUIET = "6"
"""The level above all that PyTorch's profiler prints to the terminal by itself."""

TRACE = "trace.json.gz"


class Profile(Callback):
    """Records a few training batches after the first ones on rank 0, and trains on unprofiled.

    Writes ``trace.json.gz`` into ``folder``, for chrome://tracing or ui.perfetto.dev, and tells at the end of training
    what took most of the recorded time by itself, on the device that computes. A training with fewer batches is
    recorded as far as it goes. The rates of rows that hold recorded batches are lower than the others'.

    Args:
        folder: made when there is something to write.
        tell: hears the lines of the table.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self.lines: list[str] = []
        self._profile: profile | None = None
        self._left = 0
        self._active = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin, as far before the first recorded batch as there are batches to spare."""
        if not trainer.is_global_zero:
            return
        os.environ.setdefault("KINETO_LOG_LEVEL", QUIET)  # read when the first profiler begins
        wait, warmup, active = plan(_batches_left(trainer))
        self._left, self._active = wait + warmup + active, active
        activities = [ProfilerActivity.CPU]
        if pl_module.device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*warmup.*")  # a run of one batch has none to spare
            steps = schedule(wait=wait, warmup=warmup, active=active, repeat=1)
        self._profile = profile(activities=activities, schedule=steps, on_trace_ready=self._read)
        self._profile.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Go on to the next batch, and stop after the last that is recorded."""
        if self._profile is not None:
            self._left -= 1
            self._profile.step()
            if not self._left:
                self._stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop if there were fewer batches than thought, and tell."""
        self._stop()
        for line in self.lines:
            self.tell(line)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave no profiler running."""
        self._stop()

    def _stop(self) -> None:
        running, self._profile = self._profile, None
        if running is not None:
            running.stop()

    def _read(self, recorded: profile) -> None:
        """Write the trace, and keep of all events only the table."""
        trace, partly = self.folder / TRACE, self.folder / f".{TRACE}"
        self.lines = table(recorded.key_averages(), max(1, self._active - self._left))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            recorded.export_chrome_trace(str(partly))
            partly.replace(trace)
            self.lines.append(f"the trace of these batches: {trace} (open it in chrome://tracing or ui.perfetto.dev)")
        except OSError as error:  # no reason to end a training
            with suppress(OSError):
                partly.unlink()
            self.lines.append(f"the trace could not be written to {trace}: {error.strerror or error}")


def plan(batches: float) -> tuple[int, int, int]:
    """How many of the next ``batches`` are passed over, how many warm the profiler up, and how many are recorded."""
    active = int(min(ACTIVE, max(1, batches - 1)))
    spare = int(min(2 * ASIDE, max(0, batches - active)))
    warmup = min(ASIDE, spare)
    return spare - warmup, warmup, active


def table(events: Any, batches: int) -> list[str]:
    """Lines of a table from the ``key_averages`` of ``batches``: time by itself, its share, and calls, of one batch."""
    on_device = any(event.self_device_time_total for event in events)
    rows = []
    for event in events:
        if on_device and (event.is_user_annotation or event.key == BETWEEN):
            continue  # they cover what is counted already
        spent = event.self_device_time_total if on_device else event.self_cpu_time_total
        name = "Python, between the operations" if event.key == BETWEEN else event.key
        rows.append((spent, event.count, name))
    whole = sum(spent for spent, _, _ in rows)
    rows = sorted((row for row in rows if row[0]), reverse=True)
    place = "GPU" if on_device else "CPU"
    head = f"the {min(DEAREST, len(rows))} dearest parts of a batch, of {whole / batches / 1000:.1f} ms on the {place}:"
    shown = [
        f"{spent / whole:>6.1%} {spent / batches / 1000:>9.2f} ms {count / batches:>7.4g} x  {name}"
        for spent, count, name in rows[:DEAREST]
    ]
    return [head, *shown]


def _batches_left(trainer: pl.Trainer) -> float:
    """Batches until the training ends by its own length; infinite where nothing tells."""
    steps = trainer.estimated_stepping_batches
    return math.inf if steps == math.inf else (steps - trainer.global_step) * trainer.accumulate_grad_batches
