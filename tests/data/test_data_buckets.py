"""Batches by length: every row once over ranks and batches, as many batches as without, each within the least budget
that does, ranks with equal work, fixed by (seed, epoch), resumed anywhere."""

from itertools import combinations, pairwise
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quatrain.data.buckets import TokenBudget, cuts
from quatrain.data.sampler import POOL, EvaluationBatches, TrainingBatches


def table(size: int, seed: int, longest: int = 40) -> NDArray[np.int64]:
    """Lengths of rows, most of them short."""
    drawn = np.random.default_rng(seed).exponential(longest / 4, size).astype(np.int64)
    return np.clip(drawn, 0, longest)


def budget_of(lengths: NDArray[np.int64], packed: bool = False) -> TokenBudget:
    return TokenBudget(lambda rows: lengths[rows], packed=packed)


def ranks_of(size: int, world: int, **words: Any) -> list[list[list[tuple[int, int]]]]:
    return [list(TrainingBatches(size, rank=rank, world_size=world, **words)) for rank in range(world)]


def dearest(lengths: list[int], cut: Any, packed: bool) -> int:
    """The places of the batch that has the most, where rows are cut at ``cut``."""
    ends = [0, *cut, len(lengths)]
    parts = [lengths[start:end] for start, end in pairwise(ends)]
    return max(sum(part) if packed else len(part) * max(part) for part in parts)


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=9), count=st.integers(1, 9), packed=st.booleans())
def test_no_other_way_to_cut_is_cheaper(lengths: list[int], count: int, packed: bool):
    count = min(count, len(lengths))
    lengths = lengths if packed else sorted(lengths, reverse=True)
    found = cuts(np.asarray(lengths), count, packed=packed)
    every = combinations(range(1, len(lengths)), count - 1)
    assert found in [list(cut) for cut in combinations(range(1, len(lengths)), count - 1)]
    assert dearest(lengths, found, packed) == min(dearest(lengths, cut, packed) for cut in every)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 1500),
    world=st.integers(1, 5),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 3),
    packed=st.booleans(),
    drop_last=st.booleans(),
)
def test_every_row_once_in_as_many_batches(
    size: int, world: int, batch_size: int, seed: int, packed: bool, drop_last: bool
):
    lengths = table(size, seed)
    words: dict[str, Any] = {"batch_size": batch_size, "drop_last": drop_last, "seed": seed, "epoch": 2}
    ranks = ranks_of(size, world, **words, buckets=budget_of(lengths, packed))
    plain = TrainingBatches(size, **words, world_size=world)
    assert [len(batches) for batches in ranks] == [len(plain)] * world
    assert all(keys for batches in ranks for keys in batches)
    keys = [key for batches in ranks for batch in batches for key in batch]
    assert {epoch for epoch, _ in keys} <= {2}
    seen = sorted(index for _, index in keys if index >= 0)
    taken = min(size, len(plain) * batch_size * world)
    assert len(seen) == len(set(seen)) == taken
    assert drop_last or seen == list(range(size))
    before = max(0, len(plain) - 1) // POOL * POOL * world  # batches of whole pools, which have rows enough
    assert sum(index < 0 for _, index in keys) == max(0, len(plain) * world - before - (taken - before * batch_size))


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 1500),
    world=st.integers(1, 3),
    batch_size=st.integers(1, 6),
    parts=st.integers(2, 4),
    packed=st.booleans(),
    drop_last=st.booleans(),
)
def test_batches_in_parts_have_the_rows_of_the_whole_ones(
    size: int, world: int, batch_size: int, parts: int, packed: bool, drop_last: bool
):
    """So an optimizer step of so many times more batches sees the same rows, on every rank."""
    words: dict[str, Any] = {"drop_last": drop_last, "buckets": budget_of(table(size, 1), packed)}
    whole = ranks_of(size, world, batch_size=batch_size * parts, **words)
    small = ranks_of(size, world, batch_size=batch_size, parts=parts, **words)
    count = ceil(ceil(size / world) / batch_size)
    for ours, theirs in zip(small, whole, strict=True):
        assert len(ours) == (len(theirs) * parts if drop_last else count)
        assert all(ours)
        for number, batch in enumerate(theirs):
            together = [key for keys in ours[number * parts : (number + 1) * parts] for key in keys]
            assert sorted(key for key in together if key[1] >= 0) == sorted(key for key in batch if key[1] >= 0)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 900), world=st.integers(1, 3), seed=st.integers(0, 3), packed=st.booleans())
def test_evaluation_takes_every_row_once(size: int, world: int, seed: int, packed: bool):
    buckets = budget_of(table(size, seed), packed)
    ranks = [
        EvaluationBatches(size, batch_size=5, rank=rank, world_size=world, buckets=buckets) for rank in range(world)
    ]
    plain = EvaluationBatches(size, batch_size=5, world_size=world)
    assert [len(list(batches)) for batches in ranks] == [len(plain)] * world
    seen = [index for batches in ranks for keys in batches for _, index in keys if index >= 0]
    assert sorted(seen) == list(range(size))


@pytest.mark.parametrize("packed", [False, True])
def test_batches_cost_the_same_and_ranks_do_equal_work(packed: bool):
    """3,200 rows of 2 to 60 tokens on two ranks: the padding goes, and a step's batches are alike in rows and cost."""
    lengths = np.random.default_rng(1).integers(2, 61, 3200)

    def places(keys: list[tuple[int, int]]) -> int:
        taken = [int(lengths[index]) for _, index in keys]
        return sum(taken) if packed else len(taken) * max(taken)

    words: dict[str, Any] = {"batch_size": 10, "seed": 1}
    plain, ranks = ranks_of(3200, 2, **words), ranks_of(3200, 2, **words, buckets=budget_of(lengths, packed))
    costs = np.asarray([[places(keys) for keys in batches] for batches in ranks])
    before = np.asarray([[places(keys) for keys in batches] for batches in plain])
    assert costs.shape == before.shape == (2, 160)
    assert costs.sum() <= before.sum()
    if not packed:
        assert before.sum() > 1.7 * lengths.sum()
        assert costs.sum() < 1.06 * lengths.sum()
    assert costs.std() < 0.1 * costs.mean() < before.std()
    assert (abs(costs[0] - costs[1]) <= 60 + 0.06 * costs.mean()).mean() > 0.97
    rows = np.asarray([[len(keys) for keys in batches] for batches in ranks])
    assert rows.mean() == 10
    if not packed:
        assert (abs(rows[0] - rows[1]) <= 0.2 * rows.max(axis=0) + 1).mean() > 0.97


def test_a_batch_is_never_larger_than_without():
    """Where one row is far longer than the others, it stands alone rather than making its batch dear."""
    lengths = np.asarray([100, *[5] * 63])
    (first,) = (keys for keys in TrainingBatches(64, batch_size=8, buckets=budget_of(lengths)) if (0, 0) in keys)
    assert first == [(0, 0)]


def test_rows_of_one_length_are_batches_of_the_size():
    batches = TrainingBatches(8 * POOL * 2, batch_size=8, buckets=budget_of(np.full(8 * POOL * 2, 128)))
    assert {len(keys) for keys in batches} == {8}


def test_order_and_company_are_a_function_of_seed_and_epoch():
    buckets = budget_of(table(2000, 0))

    def batches(seed: int, epoch: int) -> list[list[int]]:
        made = TrainingBatches(2000, batch_size=5, seed=seed, epoch=epoch, buckets=buckets)
        return [[index for _, index in keys] for keys in made]

    first = batches(1, 0)
    assert batches(1, 0) == first
    for other in (batches(1, 1), batches(2, 0)):
        assert sorted(map(sorted, other)) != sorted(map(sorted, first))
    longest = [max(buckets.lengths(np.asarray(rows))) for rows in first]
    apart = np.abs(np.diff(longest))
    assert longest[:POOL] != sorted(longest[:POOL], reverse=True)
    assert apart.mean() > 3  # neighbours in time are not neighbours in length


def test_any_few_steps_in_a_row_have_short_and_long_rows_alike():
    """Eight of a pool's 64 steps cover its eighths; the mean of their places among the lengths is near the middle."""
    lengths = np.arange(64 * 4)
    for epoch in range(5):
        batches = list(TrainingBatches(256, batch_size=4, epoch=epoch, buckets=budget_of(np.full(256, 9) + lengths)))
        ranks = np.argsort(np.argsort([lengths[keys[0][1]] for keys in batches]))
        for start in range(57):
            window = np.sort(ranks[start : start + 8])
            assert abs(window.mean() - 31.5) < 8
            assert np.diff(window).max() < 18


@settings(max_examples=20, deadline=None)
@given(given_before=st.integers(0, 167), world=st.integers(1, 2), packed=st.booleans())
def test_an_epoch_is_resumed_at_any_batch(given_before: int, world: int, packed: bool):
    words: dict[str, Any] = {"batch_size": 3, "seed": 2, "world_size": world, "rank": world - 1}
    words["buckets"] = budget_of(table(500 * world, 3), packed)
    whole = list(TrainingBatches(500 * world, epoch=4, **words))
    assert len(whole) == 167
    resumed = TrainingBatches(500 * world, **words)
    resumed.resume(4, given_before)
    assert list(resumed) == whole[given_before:]
    assert list(resumed) == whole
    assert resumed.keys(4, given_before % 167) == whole[given_before % 167]


def test_rows_of_equal_length_stay_in_the_order():
    """The order of a pool is by length and then as shuffled, so nothing but the shuffle decides between equals."""
    (indices,) = TokenBudget(lambda rows: np.where(rows < 3, 7, 9))(np.asarray([2, 5, -1, 4, 1]), 1)
    assert indices.tolist() == [5, 4, 2, -1, 1]
