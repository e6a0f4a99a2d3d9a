"""Proves that one seed makes every source of chance repeat itself, and that ranks differ."""

import random

import numpy as np
import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.training.seeding import seed_everything


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_the_same_seed_draws_the_same() -> None:
    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert not set(draw()) & set(first)


def test_ranks_draw_differently() -> None:
    drawn = []
    for rank in range(3):
        seed_everything(3, rank=rank)
        drawn.append(draw())
    assert len({value for values in drawn for value in values}) == 9


@pytest.mark.parametrize("seed", [-1, 2**32, True])
def test_an_impossible_seed_is_a_sentence(seed: int) -> None:
    with pytest.raises(UserError, match=f"seed={seed} must be"):
        seed_everything(seed)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    seed_everything(1)
    assert capfd.readouterr() == ("", "")
