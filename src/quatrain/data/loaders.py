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
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from quatrain.core.asking import ASKING, held
from quatrain.core.bound import die_with_parent
from quatrain.core.errors import UserError
from quatrain.data.collate import as_tensors
from quatrain.data.forks import quiet_forks
from quatrain.data.sampler import EpochSampler, EvaluationSampler, Key


class BatchedRows(Protocol):
    """A dataset that makes a batch of arrays from a list of keys."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        """Return the batch of ``keys``."""
        ...


class KeyedLoader(DataLoader[Any]):
    """A loader that starts its workers without the tokenizers' threads."""

    def __iter__(self) -> Any:
        starts = self.num_workers if getattr(self, "_iterator", None) is None else 0
        with quiet_forks(starts), held() if starts else nullcontext():  # they begin deaf: see belong_to_parent
            return super().__iter__()


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
        epoch, given = sampler.epoch, sampler.start // (self.batch_size or 1)
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
        epoch, given = self._place or (sampler.epoch, sampler.start // (self.batch_size or 1))
        return {"epoch": epoch, "batches": given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where ``state`` was taken, with batches of the same size."""
        sampler: Any = self.sampler
        sampler.resume(state["epoch"], state["batches"] * (self.batch_size or 1))
        self._place = (state["epoch"], state["batches"])


def training_loader(
    rows: BatchedRows,
    sampler: EpochSampler,
    *,
    batch_size: int,
    drop_last: bool,
    num_workers: int,
    pin_memory: bool = False,
) -> TrainingLoader:
    """Return a loader whose ``state_dict`` holds its place in the epoch, for any number of workers.

    Raises:
        UserError: ``drop_last`` leaves no batch.
    """
    if drop_last:
        refuse_no_batch(len(sampler), batch_size)
    source: Any = rows  # torch asks for a Dataset with __getitem__; __getitems__ is all that it calls
    return TrainingLoader(
        source,
        batch_size=batch_size,
        sampler=sampler,
        drop_last=drop_last,
        persistent_workers=num_workers > 0,
        pin_memory=pin_memory,
        **_settings(num_workers, sampler.seed),
    )


def refuse_no_batch(examples: int, batch_size: int) -> None:
    """Raise a `UserError` where ``drop_last`` leaves nothing of the training ``examples`` of one process."""
    if examples < batch_size:
        raise UserError(
            f"data.drop_last=true leaves no batch: data.batch_size={batch_size}, but each process has {examples}"
            f" training examples; set data.batch_size={examples} or less, or data.drop_last=false."
        )


def evaluation_loader(
    rows: BatchedRows, sampler: EvaluationSampler, *, batch_size: int, num_workers: int, pin_memory: bool = False
) -> DataLoader[Any]:
    """Return a loader that gives every key of ``sampler`` once."""
    source: Any = rows
    return KeyedLoader(
        source, batch_size=batch_size, sampler=sampler, pin_memory=pin_memory, **_settings(num_workers, 0)
    )


def _settings(num_workers: int, seed: int) -> dict[str, Any]:
    return {
        "num_workers": num_workers,
        "collate_fn": as_tensors,
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
