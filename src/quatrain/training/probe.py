"""A few real steps, timed: the run's own task, optimizer and Trainer, on batches that stand for its epoch."""

import io
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.utils.data import DataLoader

from quatrain.data.collate import as_tensors
from quatrain.training.epoch_batches import Shapes

WARM_UP, WARM_UP_SECONDS = 4, 2.0
"""Batches that are not timed, as the first ones allocate, and choose kernels; two where these take so long."""
LEAST, LEAST_VARIED, MOST, SECONDS = 3, 8, 60, 4.0
"""Batches that are timed, at least and at most; beyond the least, none is begun after so many seconds. Batches of many
sizes take more of them, for the line through their times and for the allocator, which fits them in ever worse."""
HELD_OUT = 5
"""Validation batches that are timed, of each set."""

Timed = list[tuple[int, float]]
"""Places of a batch, and the seconds that it took."""

SHORT: dict[str, Any] = {
    "max_epochs": 1,
    "max_steps": -1,
    "min_epochs": None,
    "min_steps": None,
    "max_time": None,
    "limit_train_batches": None,
    "limit_val_batches": None,
    "overfit_batches": 0,
    "fast_dev_run": False,
    "val_check_interval": None,
    "check_val_every_n_epoch": 1,
    "num_sanity_val_steps": 0,
    "profiler": None,
}
"""What the probe's Trainer has in place of the run's."""


@dataclass
class Times:
    """What the probe measured, in seconds."""

    plain: Timed = field(default_factory=list)
    """Batches that were accumulated only."""
    stepping: Timed = field(default_factory=list)
    """Batches that ended an optimizer step."""
    held_out: Timed = field(default_factory=list)
    around_validation: float = 0.0
    """What a validation takes beside its batches."""
    start: float = 0.0
    """From the call of fit to its first batch."""

    @property
    def timed(self) -> int:
        """Training batches that were timed."""
        return len(self.plain) + len(self.stepping)

    def training(self, batches: int, steps: int, mean_positions: float) -> float:
        """Seconds of ``batches`` of which ``steps`` end an optimizer step."""
        stepping = at(self.stepping, mean_positions)
        return steps * stepping + (batches - steps) * (at(self.plain, mean_positions) if self.plain else stepping)

    def validation(self, batches: int, mean_positions: float) -> float:
        """Seconds of one validation."""
        return self.around_validation + batches * at(self.held_out, mean_positions) if self.held_out else 0.0


def at(timed: Timed, positions: float) -> float:
    """Seconds of a batch of ``positions``, by the line of medians through ``timed`` (Theil 1950, Sen 1968).

    One slow batch, where the machine did something else, moves it little.
    """
    slopes = [
        (later - sooner) / (large - small)
        for number, (small, sooner) in enumerate(timed)
        for large, later in timed[number + 1 :]
        if large != small
    ]
    slope = max(0.0, median(slopes)) if slopes else 0.0
    return median(seconds + slope * (positions - size) for size, seconds in timed)


def probe_arguments(trainer: dict[str, Any]) -> dict[str, Any]:
    """The run's Trainer arguments, for the probe."""
    return {**trainer, **SHORT, "accumulate_grad_batches": min(2, trainer["accumulate_grad_batches"])}


def probe(task: Any, trainer: pl.Trainer, training: Shapes, held_out: Sequence[Shapes]) -> Times:
    """Train ``task`` on the largest batch and on others spread over the sizes, then validate; return their times.

    ``trainer`` has `probe_arguments`. The weights of ``task`` are changed; nothing is printed or saved.
    """
    watch = Stopwatch(LEAST_VARIED if training.vary else LEAST)
    trainer.callbacks.append(watch)  # type: ignore[attr-defined]
    others, largest = training.spread(MOST), training.largest
    # between smaller ones, as in a run: the allocator then needs most for it
    chosen = [others[0], largest, others[1], largest, *others[2:6], largest, *others[6:8], largest, *others[8:]]
    validation = [_loader(shapes, [shapes.largest, *shapes.spread(HELD_OUT)]) for shapes in held_out]
    watch.called = time.perf_counter()
    with redirect_stderr(io.StringIO()):
        trainer.fit(task, _loader(training, chosen), validation or None)
    return watch.times


def _loader(shapes: Shapes, chosen: Sequence[Any]) -> DataLoader[Any]:
    keys: Any = [shape.keys for shape in chosen]
    collate: Any = as_tensors  # of the whole batch, which __getitems__ has made
    return DataLoader(shapes.rows, batch_sampler=keys, collate_fn=collate)


class Stopwatch(Callback):
    """Times batches from the end of one to the end of the next; stands last, and ends the training in time."""

    def __init__(self, least: int) -> None:
        self.least = least
        self.times = Times()
        self.called = 0.0
        self._begun = 0.0
        self._marked = 0.0
        self._step = 0
        self._validated = 0.0
        self._first = True
        self._warm = False

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """The start is over with the first batch."""
        if batch_idx == 0:
            self._begun = self._marked = time.perf_counter()
            self.times.start = self._marked - self.called

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Note the time of this batch."""
        now = time.perf_counter()
        stepped, self._step = trainer.global_step != self._step, trainer.global_step
        if self._warm:
            kind = self.times.stepping if stepped else self.times.plain
            kind.append((batch["input_ids"].numel(), now - self._marked))
            if self._agree(trainer, self.times.timed >= self.least and now - self._begun > SECONDS):
                trainer.should_stop = True
        elif self._agree(trainer, batch_idx + 1 >= WARM_UP or (batch_idx > 0 and now - self._begun > WARM_UP_SECONDS)):
            self._warm, self._begun = True, time.perf_counter()
        self._marked = time.perf_counter()

    def _agree(self, trainer: pl.Trainer, decided: bool) -> bool:
        """What one rank has decided, all ranks do."""
        return trainer.strategy.reduce_boolean_decision(decided, all=False) if trainer.world_size > 1 else decided

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """The clock of the validation begins."""
        self._validated = self._marked = time.perf_counter()
        self._first = True

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Note the time of this batch; the first of all is the largest again, and slower."""
        now = time.perf_counter()
        if self._first:
            self._validated += now - self._marked
        else:
            self.times.held_out.append((batch["input_ids"].numel(), now - self._marked))
        self._first, self._marked = False, time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """What the batches did not take is the validation's own."""
        whole = time.perf_counter() - self._validated
        self.times.around_validation = max(0.0, whole - sum(seconds for _, seconds in self.times.held_out))
