"""How far the training is: one line on a terminal, now and then a line elsewhere."""

import sys
import time
from typing import Any, TextIO

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from quatrain.training.metrics_log import MetricsLog, last_step


class Progress(Callback):
    """Shows epoch, step, loss, tokens a second, the share of the device's peak and the time left, on rank 0 only.

    On a terminal it is one line that is redrawn; elsewhere plain lines, at most one in ``interval`` seconds and one at
    the end, none twice.

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

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the line."""
        self._first_step = trainer.global_step
        self._seconds_before = self.log_of_metrics.seconds
        self._shown_at = time.perf_counter()
        if not trainer.is_global_zero:
            return
        console = Console(file=self.stream or sys.stderr)
        if console.is_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=False)
            self._live.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Show the step."""
        self._loss = last_step(pl_module).get("loss", self._loss)
        self._show(trainer)

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
        # four times a second is as often as an eye follows; reading the loss waits for a GPU
        due = 0.25 if self._live else self.interval
        if not last and time.perf_counter() - self._shown_at < due:
            return
        self._shown_at = time.perf_counter()
        line = self._line(trainer)
        if self._live:
            self._live.update(_with_bar(line, trainer.global_step, _total_steps(trainer)), refresh=True)
        elif line != self._shown:
            print(line, file=self.stream or sys.stderr, flush=True)
        self._shown = line

    def _line(self, trainer: pl.Trainer) -> str:
        total = _total_steps(trainer)
        epochs = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else None
        # after the last epoch Lightning has already counted on
        epoch = trainer.current_epoch + 1 if epochs is None else min(trainer.current_epoch + 1, epochs)
        parts = [f"epoch {epoch}{_of(epochs)}", f"step {trainer.global_step}{_of(total)}"]
        if self._loss is not None:
            parts.append(f"loss {float(self._loss):.4g}")
        rates = self.log_of_metrics.rates
        if rates:
            parts.append(f"{rates['tokens_per_second']:,.0f} tokens/s")
        if "mfu" in rates:
            parts.append(f"MFU {rates['mfu']:.0%}")
        done = trainer.global_step - self._first_step
        if self._validating:
            parts.append(self._validating)
        elif total is not None and done and trainer.global_step < total:
            pace = (self.log_of_metrics.seconds - self._seconds_before) / done
            parts.append(f"{clock(pace * (total - trainer.global_step))} left")
        return " · ".join(parts)

    def _close(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _with_bar(line: str, step: int, total: int | None) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=total, completed=step, width=24, pulse=total is None), Text(line, no_wrap=True))
    return row


def _total_steps(trainer: pl.Trainer) -> int | None:
    total = trainer.estimated_stepping_batches
    return None if total == float("inf") else int(total)


def _of(total: float | None) -> str:
    return "" if total is None or total == float("inf") else f"/{int(total)}"
