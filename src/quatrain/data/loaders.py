"""Loaders over datasets that fetch a whole batch by its keys."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from multiprocessing.connection import wait
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from quatrain.core.asking import ASKING, held
from quatrain.core.bound import die_with_parent
from quatrain.core.errors import UserError
from quatrain.data.collate import as_tensors
from quatrain.data.forks import quiet_forks
from quatrain.data.sampler import EvaluationBatches, Key, TrainingBatches

READ_AHEAD = 4
"""Batches that each loader process has ready: enough for a step that waits while a pool of batches is shared out."""


class BatchedRows(Protocol):
    """A dataset that makes a batch of arrays from a list of keys."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitems__(self, keys: list[Key]) -> dict[str, Any]:
        """Return the batch of ``keys``."""
        ...


class WholeBatches(Dataset[Any]):
    """``rows`` as torch asks for them where the sampler gives whole batches of keys."""

    def __init__(self, rows: BatchedRows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, keys: list[Key]) -> dict[str, Any]:
        return self.rows.__getitems__(keys)


class KeyedLoader(DataLoader[Any]):
    """A loader that starts its workers without the tokenizers' threads, and names one that died."""

    def __iter__(self) -> Any:
        starts = self.num_workers if getattr(self, "_iterator", None) is None else 0
        with quiet_forks(starts), held() if starts else nullcontext():  # they begin deaf: see belong_to_parent
            batches = super().__iter__()
        return _from_the_living(batches) if self.num_workers else batches


def _from_the_living(batches: Any) -> Iterator[Any]:
    """``batches``; a worker that dies while it hands one over is told as torch tells of those that die otherwise."""
    try:
        yield from batches
    except (ConnectionError, EOFError, FileNotFoundError) as error:
        workers = getattr(batches, "_workers", [])
        for worker in workers:
            worker.join(timeout=0.1)
        if dead := [str(worker.pid) for worker in workers if not worker.is_alive()]:
            raise RuntimeError(f"DataLoader worker (pid(s) {', '.join(dead)}) exited unexpectedly") from error
        raise


class TrainingLoader(KeyedLoader):
    """A loader that knows its place: the epoch, and how many of its batches were given.

    The state is the same for any number of workers, whatever they have read ahead. The last batch of an epoch makes the
    place the beginning of the next; an epoch that is left before begins anew, unless its sampler's ``set_epoch``
    names another. The place is looked up when the first batch is asked for, not by ``iter``.
    """

    _place: tuple[int, int] | None = None

    def __iter__(self) -> Any:
        return self._batches()

    def _batches(self) -> Iterator[Any]:
        sampler: Any = self.sampler
        epoch, given = sampler.epoch, sampler.start
        for batch in super().__iter__():
            given += 1
            self._place = (epoch, given)
            if given == len(self):
                self._place = (epoch + 1, 0)
                sampler.set_epoch(epoch + 1)
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and the number of its batches that were given."""
        sampler: Any = self.sampler
        epoch, given = self._place or (sampler.epoch, sampler.start)
        return {"epoch": epoch, "batches": given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where ``state`` was taken.

        That is exact where the batches are those of the loader that gave it: rows, sizes and ranks alike.
        """
        sampler: Any = self.sampler
        sampler.resume(state["epoch"], state["batches"])
        self._place = (state["epoch"], state["batches"])


def training_loader(
    rows: BatchedRows, batches: TrainingBatches, *, num_workers: int, pin_memory: bool = False
) -> TrainingLoader:
    """Return a loader whose ``state_dict`` holds its place in the epoch, for any number of workers.

    Raises:
        UserError: ``drop_last`` leaves no batch.
    """
    refuse_no_batch(batches)
    return TrainingLoader(**_settings(rows, batches, num_workers, pin_memory, batches.seed))


def refuse_no_batch(batches: TrainingBatches) -> None:
    """Raise a `UserError` where ``drop_last`` leaves nothing of the training examples of one process."""
    if batches.drop_last and not len(batches):
        raise UserError(
            f"data.drop_last=true leaves no batch: data.batch_size={batches.batch_size}, but each process has"
            f" {batches.share} training examples; set data.batch_size={batches.share} or less, or data.drop_last=false."
        )


def evaluation_loader(
    rows: BatchedRows, batches: EvaluationBatches, *, num_workers: int, pin_memory: bool = False
) -> DataLoader[Any]:
    """Return a loader that gives every batch of ``batches`` once."""
    return KeyedLoader(**_settings(rows, batches, num_workers, pin_memory, 0))


def _settings(
    rows: BatchedRows, batches: TrainingBatches | EvaluationBatches, num_workers: int, pin_memory: bool, seed: int
) -> dict[str, Any]:
    return {
        "dataset": WholeBatches(rows),
        "sampler": batches,
        "batch_size": None,
        "num_workers": num_workers,
        "collate_fn": as_tensors,
        "pin_memory": pin_memory,
        "persistent_workers": num_workers > 0,
        "prefetch_factor": READ_AHEAD if num_workers else None,
        "worker_init_fn": belong_to_parent,
        # iter(loader) draws from the global generator unless it has one of its own.
        "generator": torch.Generator().manual_seed(seed),
    }


def belong_to_parent(worker: int) -> None:
    """Make this loader worker end when the process that started it does or says so, and at no one else's word.

    Clusters and terminals send a signal that asks for a stop to all processes of a run, and the run then needs its
    loaders for the rest of a step.
    """
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()
    die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _obey(parent: int) -> None:
    """Take signals that ask for a stop from ``parent`` alone."""
    while signal.sigwaitinfo(ASKING).si_pid != parent:
        pass
    os._exit(0)


def _follow(sentinel: int) -> None:
    """Wait for the parent's end: where there is no such signal, or where it died before the signal was asked for."""
    wait([sentinel])
    os._exit(1)
