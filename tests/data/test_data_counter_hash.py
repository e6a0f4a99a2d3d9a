"""The counter-based random numbers: known values, uniform, and a shuffle that is a permutation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.data.counter_hash import begun_key, below, key_of, mix, permuted, words


def test_mixing_is_splitmix64():
    # The first outputs of SplitMix64 with state 0: mix(k * golden ratio) for k = 0, 1.
    states = words(np.asarray([0, 0x9E3779B97F4A7C15 - (1 << 64)]))
    assert [hex(value) for value in mix(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


def test_uniform_numbers_fill_their_bins_evenly():
    drawn = (key_of(7, np.arange(100_000)) >> np.uint64(11)) * 2.0**-53
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=50, range=(0, 1))[0]
    chi_square = ((counts - 2000) ** 2 / 2000).sum()
    assert chi_square < 85.4  # 49 degrees of freedom: beyond it in 1 of 1000


@pytest.mark.parametrize("probability", [0.15, 0.8, 0.5, 2.0**-53, 1 - 2.0**-53, 1e-300, 1 / 3])
def test_below_a_bound_is_below_the_probability(probability: float):
    """Compared exactly with the number in [0, 1) that the first 53 bits are, at the bound and anywhere."""
    bound = int(below(probability))
    near = [word for word in range(bound - 5000, bound + 5000, 7) if 0 <= word < 1 << 64]
    hashed = np.concatenate([words(np.asarray(near, dtype=np.uint64)), key_of(1, np.arange(1000))])
    assert ((hashed < below(probability)) == ((hashed >> np.uint64(11)) * 2.0**-53 < probability)).all()


def test_a_key_may_be_begun_once():
    parts = np.arange(5)
    assert (mix(begun_key(3, 7, -2) ^ mix(words(parts))) == key_of(7, -2, parts)).all()


def test_keys_tell_order_sign_and_number_of_their_parts():
    keys = [key_of(1, 2), key_of(2, 1), key_of(1), key_of(1, 2, 0), key_of(1, -2), key_of(-1, 2)]
    assert len({int(key[0]) for key in keys}) == len(keys)


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 3000), seed=st.integers(0, 2**70))
def test_a_shuffle_takes_every_row_once(size: int, seed: int):
    assert sorted(permuted(np.arange(size), size, key_of(seed))) == list(range(size))


@pytest.mark.parametrize("size", [5, 20])
def test_every_row_comes_first_equally_often(size: int):
    firsts = [int(permuted(np.asarray([0]), size, key_of(seed))[0]) for seed in range(40 * size)]
    counts = np.bincount(firsts, minlength=size)
    limits = {5: 18.5, 20: 43.8}  # chi-square with size - 1 degrees of freedom, 1 of 1000
    assert ((counts - 40) ** 2 / 40).sum() < limits[size]


def test_the_shuffle_of_a_billion_rows_is_entered_anywhere():
    some = permuted(np.asarray([0, 999_999_999]), 1_000_000_000, key_of(3))
    assert len(set(some.tolist())) == 2
    assert ((some >= 0) & (some < 1_000_000_000)).all()
