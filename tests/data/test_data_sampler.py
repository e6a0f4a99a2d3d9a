"""Batches of keys: every row once per epoch over all ranks, fixed by (seed, epoch), fillers even out the ranks."""

from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.data.sampler import EVALUATION, EvaluationBatches, TrainingBatches, rows_of


def indices(batches: Any) -> list[int]:
    return [index for keys in batches for _, index in keys]


@settings(max_examples=50, deadline=None)
@given(
    size=st.integers(1, 200),
    batch_size=st.integers(1, 9),
    world=st.integers(1, 7),
    seed=st.integers(0, 5),
    shuffle=st.booleans(),
)
def test_ranks_share_every_row_once(size: int, batch_size: int, world: int, seed: int, shuffle: bool):
    words: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "seed": seed, "epoch": 3}
    ranks = [TrainingBatches(size, **words, rank=rank, world_size=world) for rank in range(world)]
    shares = [list(rank) for rank in ranks]
    count = ceil(ceil(size / world) / batch_size)
    assert [len(share) for share in shares] == [len(rank) for rank in ranks] == [count] * world
    assert {len(keys) for share in shares for keys in share[:-1]} <= {batch_size}
    keys = [key for share in shares for batch in share for key in batch]
    assert {epoch for epoch, _ in keys} == {3}
    assert sorted(index for _, index in keys if index >= 0) == list(range(size))
    assert sum(index < 0 for _, index in keys) == -size % world


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 200), batch_size=st.integers(1, 9), world=st.integers(1, 7))
def test_evaluation_ranks_share_every_row_once_in_order(size: int, batch_size: int, world: int):
    ranks = [EvaluationBatches(size, batch_size=batch_size, rank=rank, world_size=world) for rank in range(world)]
    assert len({len(rank) for rank in ranks}) == 1
    keys = [key for rank in ranks for batch in rank for key in batch]
    assert {epoch for epoch, _ in keys} == {EVALUATION}
    assert sorted(index for _, index in keys if index >= 0) == list(range(size))
    for rank, batches in enumerate(ranks):
        real = [index for index in indices(batches) if index >= 0]
        assert real == list(range(rank, size, world))


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed: int, epoch: int) -> list[int]:
        return indices(TrainingBatches(50, batch_size=7, seed=seed, epoch=epoch))

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert list(TrainingBatches(4, batch_size=3, shuffle=False)) == [[(0, 0), (0, 1), (0, 2)], [(0, 3)]]


def test_the_batch_size_does_not_change_the_order():
    """Also beyond the batches that are made at once."""
    whole = indices(TrainingBatches(700, batch_size=700, seed=4))
    assert indices(TrainingBatches(700, batch_size=3, seed=4)) == whole
    assert indices(TrainingBatches(700, batch_size=3, seed=4, drop_last=True)) == whole[:-1]


def test_two_ranks_batches_are_one_process_s_batch():
    whole = list(TrainingBatches(12, batch_size=4, seed=5))
    ranks = [list(TrainingBatches(12, batch_size=2, seed=5, rank=rank, world_size=2)) for rank in range(2)]
    for number in range(3):
        assert sorted(ranks[0][number] + ranks[1][number]) == sorted(whole[number])


def test_set_epoch_chooses_and_leaves_an_iteration_alone():
    batches = TrainingBatches(5, batch_size=1, seed=1)
    iterator = iter(batches)
    first = [next(iterator)]
    batches.set_epoch(1)
    assert {epoch for keys in batches for epoch, _ in keys} == {1}
    first += iterator
    batches.set_epoch(0)
    assert list(batches) == list(batches) == first


@pytest.mark.parametrize("given_before", [0, 1, 63, 64, 65, 200])
def test_an_epoch_is_resumed_at_any_batch_once(given_before: int):
    whole = list(TrainingBatches(900, batch_size=4, seed=2, epoch=4))
    resumed = TrainingBatches(900, batch_size=4, seed=2)
    resumed.resume(4, given_before)
    resumed.set_epoch(4)
    assert list(resumed) == whole[given_before:]
    assert list(resumed) == whole
    resumed.resume(4, given_before)
    resumed.set_epoch(3)
    assert len(list(resumed)) == 225


def test_fillers_are_read_as_the_row_that_they_repeat():
    epochs, rows, fillers = rows_of([(2, 5), (2, -1), (2, -4)])
    assert epochs.tolist() == [2, 2, 2]
    assert rows.tolist() == [5, 0, 3]
    assert fillers.tolist() == [False, True, True]
