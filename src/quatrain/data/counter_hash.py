"""Random numbers that are a function of their place and of nothing drawn before.

A generator's numbers depend on how many were drawn before, so on the batch and its order. Here each number is a hash of
what it belongs to (a seed, an epoch, an example, a position), so it is the same in every batch, worker and rank.
The mixing function is SplitMix64's (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_WORD = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ROUNDS = 8


def words(values: Any) -> Words:
    """Return integers, negative ones too, as 64-bit words (modulo 2**64), always as an array."""
    if isinstance(values, int):
        return np.asarray([values & _WORD], dtype=np.uint64)
    return np.asarray(values).astype(np.int64, copy=False).view(np.uint64)


def mix(values: Words) -> Words:
    """Hash 64-bit words one by one; a bijection."""
    mixed = values + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def key_of(*parts: Any) -> Words:
    """Hash a sequence of integers or integer arrays (broadcast against each other) into one word for each place."""
    return begun_key(len(parts), *parts)


def begun_key(length: int, *parts: Any) -> Words:
    """Hash the first ``parts`` of ``length``; a further ``part`` makes ``mix(key ^ mix(words(part)))`` of it."""
    key = words(length)
    for part in parts:
        key = mix(key ^ mix(words(part)))
    return key


def below(probability: float) -> np.uint64:
    """Return the bound under which a hashed word lies with ``probability``, a number below 1.

    The word's first 53 bits are taken for a number in [0, 1), a multiple of 2**-53, and that is compared, exactly.
    """
    return np.uint64(math.ceil(probability * 2.0**53) << 11)


def permuted(places: NDArray[np.int64], size: int, key: Words) -> NDArray[np.int64]:
    """Return where a shuffle of ``range(size)`` puts ``places``; ``key`` (one word) chooses the shuffle.

    Nothing of the length ``size`` is made, so a shuffle of a billion examples costs no memory and may be entered at any
    place. A Feistel network over the next power of four, walked until inside of the range (Black and Rogaway: "Ciphers
    with arbitrary finite domains", 2002).
    """
    half = max(3, ((size - 1).bit_length() + 1) // 2)
    low, shift, limit = np.uint64((1 << half) - 1), np.uint64(half), np.uint64(size)
    rounds = [key_of(key, number) for number in range(_ROUNDS)]
    value = words(places).copy()
    walking = np.arange(len(value))
    while len(walking):
        left, right = value[walking] >> shift, value[walking] & low
        for salt in rounds:
            left, right = right, left ^ (mix(right ^ salt) & low)
        moved = (left << shift) | right
        value[walking] = moved
        walking = walking[moved >= limit]
    return value.astype(np.int64)
