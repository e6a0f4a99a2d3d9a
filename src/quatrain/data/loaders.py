"""Loaders over datasets that fetch a whole batch by its keys."""

import multiprocessing
import os
import sys
import threading
import warnings
from multiprocessing.connection import wait
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from quatrain.core.errors import UserError
from quatrain.data.collate import as_tensors
from quatrain.data.sampler import EpochSampler, EvaluationSampler, Key

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


class BatchedRows(Protocol):
    """A dataset that makes a batch of arrays from a list of keys."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        """Return the batch of ``keys``."""
        ...


def training_loader(
    rows: BatchedRows, sampler: EpochSampler, *, batch_size: int, drop_last: bool, num_workers: int
) -> DataLoader[Any]:
    """Return a loader whose ``state_dict`` holds its place in the epoch, for any number of workers.

    Raises:
        UserError: ``drop_last`` leaves no batch.
    """
    from torchdata.stateful_dataloader import StatefulDataLoader

    if drop_last and len(sampler) < batch_size:
        raise UserError(
            f"data.drop_last=true leaves no batch: data.batch_size={batch_size}, but each process has {len(sampler)}"
            f" training examples; set data.batch_size={len(sampler)} or less, or data.drop_last=false."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'set_vital' is deprecated", UserWarning)  # torchdata's own call
        loader: DataLoader[Any] = StatefulDataLoader(
            rows,
            batch_size=batch_size,
            sampler=sampler,
            drop_last=drop_last,
            persistent_workers=num_workers > 0,
            **_settings(num_workers, sampler.seed),
        )
    return loader


def evaluation_loader(
    rows: BatchedRows, sampler: EvaluationSampler, *, batch_size: int, num_workers: int
) -> DataLoader[Any]:
    """Return a loader that gives every key of ``sampler`` once."""
    source: Any = rows  # torch asks for a Dataset with __getitem__; __getitems__ is all that it calls
    return DataLoader(source, batch_size=batch_size, sampler=sampler, **_settings(num_workers, 0))


def _settings(num_workers: int, seed: int) -> dict[str, Any]:
    if num_workers > 0:
        # Rust's thread pool does not survive a fork; workers encode nothing, and the library warns unless told.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return {
        "num_workers": num_workers,
        "collate_fn": as_tensors,
        "worker_init_fn": die_with_parent,
        # iter(loader) draws from the global generator unless it has one of its own.
        "generator": torch.Generator().manual_seed(seed),
    }


def die_with_parent(worker: int) -> None:
    """Make this loader worker end as soon as the process that started it is gone, however that ended."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    """Wait for the parent's end: where there is no such signal, or where it died before the signal was asked for."""
    wait([sentinel])
    os._exit(1)
