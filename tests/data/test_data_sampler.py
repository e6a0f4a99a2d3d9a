"""Samplers: every row once per epoch over all ranks, deterministic by (seed, epoch), fillers even out the ranks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.data.sampler import EVALUATION, EpochSampler, EvaluationSampler, rows_of


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 200), world=st.integers(1, 7), seed=st.integers(0, 5), shuffle=st.booleans())
def test_ranks_share_every_row_once(size: int, world: int, seed: int, shuffle: bool):
    shares = [
        list(EpochSampler(size, shuffle=shuffle, seed=seed, epoch=3, rank=rank, world_size=world))
        for rank in range(world)
    ]
    assert len({len(share) for share in shares}) == 1
    keys = [key for share in shares for key in share]
    assert {epoch for epoch, _ in keys} == {3}
    assert sorted(index for _, index in keys if index >= 0) == list(range(size))
    assert sum(index < 0 for _, index in keys) == -size % world


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 200), world=st.integers(1, 7))
def test_evaluation_ranks_share_every_row_once(size: int, world: int):
    shares = [list(EvaluationSampler(size, rank=rank, world_size=world)) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    keys = [key for share in shares for key in share]
    assert {epoch for epoch, _ in keys} == {EVALUATION}
    assert sorted(index for _, index in keys if index >= 0) == list(range(size))


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed: int, epoch: int) -> list[int]:
        return [index for _, index in EpochSampler(50, seed=seed, epoch=epoch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert list(EpochSampler(4, shuffle=False)) == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_two_ranks_batches_are_one_process_s_batch():
    whole = [index for _, index in EpochSampler(12, seed=5)]
    ranks = [[index for _, index in EpochSampler(12, seed=5, rank=rank, world_size=2)] for rank in range(2)]
    for batch in range(3):  # batches of 2 on each rank, of 4 on one process
        together = ranks[0][2 * batch : 2 * batch + 2] + ranks[1][2 * batch : 2 * batch + 2]
        assert sorted(together) == sorted(whole[4 * batch : 4 * batch + 4])


def test_set_epoch_chooses_and_leaves_an_iteration_alone():
    sampler = EpochSampler(5, seed=1)
    iterator = iter(sampler)
    first = [next(iterator)]
    sampler.set_epoch(1)
    assert {epoch for epoch, _ in sampler} == {1}
    first += iterator
    sampler.set_epoch(0)
    assert list(sampler) == list(sampler) == first


@pytest.mark.parametrize("given_before", [0, 1, 4096, 5000])
def test_an_epoch_is_resumed_at_any_place_once(given_before: int):
    whole = list(EpochSampler(9000, seed=2, epoch=4))
    resumed = EpochSampler(9000, seed=2)
    resumed.resume(4, given_before)
    resumed.set_epoch(4)
    assert list(resumed) == whole[given_before:]
    assert list(resumed) == whole
    resumed.resume(4, given_before)
    resumed.set_epoch(3)
    assert len(list(resumed)) == 9000


def test_fillers_are_read_as_the_row_that_they_repeat():
    epochs, rows, fillers = rows_of([(2, 5), (2, -1), (2, -4)])
    assert epochs.tolist() == [2, 2, 2]
    assert rows.tolist() == [5, 0, 3]
    assert fillers.tolist() == [False, True, True]
