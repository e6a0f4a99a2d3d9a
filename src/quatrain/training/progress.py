"""How far the training is: one line on a terminal, now and then a line elsewhere."""

import math
import sys
import time
from contextlib import suppress
from typing import Any, TextIO

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from quatrain.training.metrics_log import MetricsLog, last_step

BARS = ((110, 24), (96, 10))
"""From how many columns of the terminal on the bar has how many; it keeps them, however long the line is."""

REDRAWN = 0.25
"""Seconds: as often as an eye follows; reading the loss waits for a GPU."""

DROPPED = ("mfu", "exact rate", "epoch", "rate", "loss")
"""What a narrow terminal goes without, in this order."""


class Progress(Callback):
    """Shows epoch, step, loss, tokens a second, the share of the device's peak and the time left, on rank 0 only.

    On a terminal it is one line that is redrawn, and never wider than that; elsewhere, and where a terminal can redraw
    nothing, plain lines, at most one in ``interval`` seconds and one at the end, none twice. The time left counts the
    steps to come, and from the first validation on those to come too.

    Args:
        log: counts the tokens; stands before this callback in the Trainer's list.
        interval: seconds between plain lines.
        stream: where to write; None is standard error as it is when the training starts.
    """

    def __init__(self, log: MetricsLog, *, interval: float = 5.0, stream: TextIO | None = None) -> None:
        self.log_of_metrics = log
        self.interval = interval
        self.stream = stream
        self._live: Live | None = None
        self._shown = ""
        self._shown_at = 0.0
        self._loss: Any = None
        self._first_step = 0
        self._seconds_before = 0.0
        self._validating = ""
        self._validation_began = 0.0
        self._validations: list[float] = []
        self._validated_at = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the line."""
        self._first_step = trainer.global_step
        self._seconds_before = self.log_of_metrics.seconds
        self._shown_at = time.perf_counter()
        if not trainer.is_global_zero:
            return
        file = self.stream or sys.stderr
        console = Console(file=file)
        if file.isatty() and console.is_interactive:  # a log is no terminal, whoever wants colours in it
            self._live = Live(console=console, auto_refresh=False, transient=False)
            self._live.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Show the step."""
        self._loss = last_step(pl_module).get("loss", self._loss)
        self._show(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure how long it takes."""
        self._validation_began = time.perf_counter()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Show that the held-out data is read, not the next step."""
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        batches = trainer.num_val_batches
        total = batches[dataloader_idx] if isinstance(batches, list) else batches
        self._validating = f"validating {batch_idx + 1}{_of(total)}"
        self._show(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Go back to the steps."""
        self._validating = ""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._validations.append(time.perf_counter() - self._validation_began)
            self._validated_at = trainer.global_step

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the last step and close the line."""
        self._show(trainer, last=True)
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the terminal in order."""
        self._close()

    def _show(self, trainer: pl.Trainer, last: bool = False) -> None:
        if not trainer.is_global_zero:
            return
        due = REDRAWN if self._live else self.interval
        if not last and time.perf_counter() - self._shown_at < due:
            return
        self._shown_at = time.perf_counter()
        parts = self._parts(trainer)
        line = " · ".join(parts.values())
        with suppress(OSError):  # nobody listens any more, which is no reason to end the training
            if self._live:
                drawn = _with_bar(parts, self._live.console.width, trainer.global_step, _total_steps(trainer))
                self._live.update(drawn, refresh=True)
            elif line != self._shown:
                print(line, file=self.stream or sys.stderr, flush=True)
        self._shown = line

    def _parts(self, trainer: pl.Trainer) -> dict[str, str]:
        total = _total_steps(trainer)
        epochs = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else None
        # after the last epoch Lightning has already counted on
        epoch = trainer.current_epoch + 1 if epochs is None else min(trainer.current_epoch + 1, epochs)
        parts = {"epoch": f"epoch {epoch}{_of(epochs)}", "step": f"step {trainer.global_step}{_of(total)}"}
        if self._loss is not None:
            parts["loss"] = f"loss {float(self._loss):.4g}"
        rates = self.log_of_metrics.rates
        if rates:
            parts["rate"] = f"{rates['tokens_per_second']:,.0f} tokens/s"
        if "mfu" in rates:
            parts["mfu"] = f"MFU {rates['mfu']:.0%}"
        if self._validating:
            parts["left"] = self._validating
        elif (left := self._left(trainer.global_step, total)) is not None:
            parts["left"] = f"{clock(left)} left"
        return parts

    def _left(self, step: int, total: int | None) -> float | None:
        """The seconds that are left; None where they are not known, or there are none."""
        done = step - self._first_step
        if total is None or not done or step >= total:
            return None
        left = (self.log_of_metrics.seconds - self._seconds_before) / done * (total - step)
        between = (self._validated_at - self._first_step) / max(1, len(self._validations))
        if between > 0:
            to_come = math.ceil((total - self._validated_at) / between)
            left += to_come * sum(self._validations) / len(self._validations)
        return left

    def _close(self) -> None:
        if self._live:
            with suppress(OSError):
                self._live.stop()
            self._live = None


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def fitted(parts: dict[str, str], width: int) -> str:
    """The parts of the line that fit ``width`` columns, the least important left out first; cut, if even these do not.

    ``parts`` are those of `DROPPED`, ``step`` and ``left``, as far as there are any.
    """
    kept = dict(parts)
    for name in DROPPED:
        if len(" · ".join(kept.values())) <= width:
            break
        if name == "exact rate":
            kept |= {"rate": _rounded(kept["rate"])} if "rate" in kept else {}
        else:
            kept.pop(name, None)
    return " · ".join(kept.values())[: max(width, 0)]


def _rounded(rate: str) -> str:
    """``30,086 tokens/s`` as ``30k tokens/s``."""
    number, _, unit = rate.partition(" ")
    value = int(number.replace(",", ""))
    return f"{value / 1000:,.0f}k {unit}" if value >= 10_000 else rate


def _with_bar(parts: dict[str, str], width: int, step: int, total: int | None) -> Table:
    """The line, behind a bar where the terminal is wide."""
    bar = next((columns for least, columns in BARS if width >= least), 0)
    row = Table.grid(padding=(0, 1))
    # a terminal may wrap behind its last column
    text = Text(fitted(parts, width - 1 - (bar + 1 if bar else 0)), no_wrap=True)
    if bar:
        row.add_row(ProgressBar(total=total, completed=step, width=bar, pulse=total is None), text)
    else:
        row.add_row(text)
    return row


def _total_steps(trainer: pl.Trainer) -> int | None:
    total = trainer.estimated_stepping_batches
    return None if total == float("inf") else int(total)


def _of(total: float | None) -> str:
    return "" if total is None or total == float("inf") else f"/{int(total)}"
