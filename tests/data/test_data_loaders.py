"""Loaders: whole epochs by key, exact resume in the middle of one, workers that die with their parent."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from quatrain.core.errors import UserError
from quatrain.data.buckets import TokenBudget
from quatrain.data.collate import as_tensors
from quatrain.data.loaders import _from_the_living, evaluation_loader, training_loader
from quatrain.data.sampler import EvaluationBatches, Key, TrainingBatches


class Echo:
    """Gives the keys themselves."""

    def __len__(self) -> int:
        return 20

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        return {"keys": np.asarray(keys)}


def loader_of(num_workers: int, drop_last: bool = False, by_length: bool = False) -> Any:
    buckets = TokenBudget(lambda rows: 1 + rows % 7) if by_length else None
    batches = TrainingBatches(20, batch_size=3, seed=3, drop_last=drop_last, buckets=buckets)
    return training_loader(Echo(), batches, num_workers=num_workers)


def held_out_loader(rows: Any, num_workers: int = 0) -> Any:
    return evaluation_loader(rows, EvaluationBatches(20, batch_size=3), num_workers=num_workers)


def keys_of(batches: Any) -> list[list[list[int]]]:
    return [batch["keys"].tolist() for batch in batches]


@pytest.mark.parametrize("by_length", [False, True])
@pytest.mark.parametrize(("num_workers", "resumed_with"), [(0, 0), (2, 2), (2, 1), (0, 2)])
def test_a_state_taken_within_an_epoch_goes_on_exactly_with_any_workers(
    num_workers: int, resumed_with: int, by_length: bool
):
    whole = loader_of(num_workers, by_length=by_length)
    iterator = iter(whole)
    before = [next(iterator) for _ in range(3)]
    state = whole.state_dict()
    rest, following = keys_of(iterator), keys_of(whole)

    assert state == {"epoch": 0, "batches": 3}
    resumed = loader_of(resumed_with, by_length=by_length)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert keys_of(resumed) == rest
    assert keys_of(resumed) == following
    first = keys_of(before) + rest
    assert sorted(key[1] for batch in first for key in batch) == list(range(20))
    assert {key[0] for batch in following for key in batch} == {1}


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("exhausted", [False, True])
def test_a_state_taken_after_an_epoch_begins_the_next(drop_last: bool, exhausted: bool):
    """Also where, as Lightning does it, nobody asked for more than the last batch."""
    whole = loader_of(0, drop_last)
    iterator = iter(whole)
    for _ in range(len(whole)):
        next(iterator)
    if exhausted:
        assert next(iterator, None) is None
    state = whole.state_dict()
    assert state == {"epoch": 1, "batches": 0}
    resumed = loader_of(0, drop_last)
    resumed.load_state_dict(state)
    assert [keys_of(resumed), keys_of(resumed)] == [keys_of(whole), keys_of(whole)]


def test_an_epoch_that_is_left_begins_anew_unless_another_is_named():
    loader: Any = loader_of(2)
    first = keys_of(loader_of(0))
    assert next(iter(loader))["keys"].tolist() == first[0]
    assert keys_of(loader) == first
    next(iter(loader))
    loader.sampler.set_epoch(5)
    assert {key[0] for batch in keys_of(loader) for key in batch} == {5}


def test_starting_workers_leaves_the_tokenizers_threads_as_they_were(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    list(loader_of(1))
    list(held_out_loader(Switch(), 1))
    assert "TOKENIZERS_PARALLELISM" not in os.environ
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    batches = list(held_out_loader(Switch(), 1))
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
    assert {int(batch["off"]) for batch in batches} == {1}


class Switch(Echo):
    """Says whether the process that reads has the tokenizers' threads switched off."""

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        return {"off": np.asarray(os.environ.get("TOKENIZERS_PARALLELISM") == "false")}


def test_workers_do_not_change_the_batches():
    alone, helped = loader_of(0), loader_of(2)
    for _ in range(2):
        assert keys_of(alone) == keys_of(helped)


def test_processes_that_load_stay_for_the_next_epoch():
    for loader in (loader_of(1), held_out_loader(Process(), 1)):
        loader.dataset.rows = Process()
        assert len({int(batch["process"]) for _ in range(2) for batch in loader} - {os.getpid()}) == 1


class Process(Echo):
    """Says which process reads."""

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        return {"process": np.asarray(os.getpid())}


def test_plain_numbers_stay_plain():
    batch = as_tensors({"ids": np.arange(3)[::-1], "longest": 7})
    assert batch["ids"].tolist() == [2, 1, 0]
    assert batch["longest"] == 7
    assert type(batch["longest"]) is int


def test_iterating_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    list(loader_of(0))
    list(held_out_loader(Echo()))
    assert torch.rand(1) == wanted


def test_drop_last_keeps_whole_batches_and_refuses_to_leave_none():
    assert len(loader_of(0, drop_last=True)) == len(keys_of(loader_of(0, drop_last=True))) == 6
    with pytest.raises(UserError, match=r"data.drop_last=true leaves no batch: data.batch_size=21, .* has 20"):
        training_loader(Echo(), TrainingBatches(20, batch_size=21, drop_last=True), num_workers=0)


class Asleep(Echo):
    """Notes who reads, then never comes back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        (self.folder / str(os.getpid())).touch()
        time.sleep(600)
        return {}


def hang(folder: Path) -> None:
    list(held_out_loader(Asleep(folder), 2))


def alive(process: int) -> bool:
    try:
        # a zombie has ended; nobody may be there to bury it
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_workers_die_with_a_killed_parent(tmp_path: Path):
    process = multiprocessing.get_context("spawn").Process(target=hang, args=(tmp_path,))
    process.start()
    workers: list[int] = []
    deadline = time.monotonic() + 30
    while len(workers) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    deadline = time.monotonic() + 2
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


class Dead:
    pid = 4711

    def join(self, timeout: float) -> None: ...

    def is_alive(self) -> bool:
        return False


class Broken:
    """An iterator of torch's whose worker ends while it hands a batch over."""

    _workers = (Dead(),)

    def __iter__(self) -> Any:
        yield 1
        raise ConnectionResetError("Connection reset by peer")


def test_a_worker_that_dies_as_it_hands_a_batch_over_is_named():
    batches = _from_the_living(Broken())
    assert next(batches) == 1
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) 4711\) exited unexpectedly"):
        next(batches)


def test_a_broken_connection_of_living_workers_stays_what_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Dead, "is_alive", lambda self: True)
    with pytest.raises(ConnectionResetError):
        list(_from_the_living(Broken()))
