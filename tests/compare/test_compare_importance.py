"""Which knob matters: variance shares by hand, and a forest that finds the knob that a function depends on."""

import importlib.util
import math

import numpy as np
import pytest

from quatrain.compare import importance as module
from quatrain.compare.importance import ETA, FANOVA, importance
from quatrain.compare.knobs import Knob, knobs_of


def knobs(**columns: list[object]) -> list[Knob]:
    settings = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return knobs_of(settings)[0]


def test_shares_by_hand() -> None:
    """A grid of two by two with two runs each. Values 1 2 | 3 4 and 5 6 | 7 8: total 42, rows 32, columns 8, rest 2."""
    found = importance(knobs(row=["a", "a", "b", "b"], column=[1, 2, 1, 2]), [[1, 2], [3, 4], [5, 6], [7, 8]])
    assert found is not None
    assert found.method == ETA
    assert [(one.knob.keys, one.share) for one in found.shares] == [
        (("row",), pytest.approx(32 / 42)),
        (("column",), pytest.approx(8 / 42)),
    ]
    assert found.between_seeds == pytest.approx(2 / 42)
    assert [one.by_chance for one in found.shares] == [pytest.approx(1 / 7)] * 2


def test_the_share_by_chance_is_what_noise_gives() -> None:
    random = np.random.default_rng(0)
    settings = knobs(knob=[0, 1, 2, 3])
    found = [importance(settings, random.normal(size=(4, 3)).tolist()) for _ in range(2000)]
    shares = [one.shares[0].share for one in found if one]
    assert np.mean([share for share in shares if share is not None]) == pytest.approx(3 / 11, abs=0.01)


def test_a_knob_with_a_value_for_each_run_has_no_share() -> None:
    found = importance(knobs(lr=[0.1, 0.2, 0.3]), [[1.0], [2.0], [3.0]])
    assert found is not None
    assert (found.shares[0].share, found.between_seeds) == (None, None)


def test_nothing_to_share() -> None:
    assert importance([], [[1.0, 2.0]]) is None
    assert importance(knobs(lr=[1, 2]), [[1.0, 1.0], [1.0, 1.0]]) is None


def sampled() -> tuple[list[Knob], list[list[float]]]:
    """Forty trials of a loss that hangs on the logarithm of one knob, and hardly on two others."""
    random = np.random.default_rng(1)
    lrs, widths = 10 ** random.uniform(-4, -2, 40), random.uniform(0, 1, 40)
    kinds = ["a", "b"] * 20
    losses = [(math.log10(lr) + 3) ** 2 + 0.05 * width for lr, width in zip(lrs, widths, strict=True)]
    return knobs(lr=lrs.tolist(), width=widths.tolist(), kind=kinds), [[loss] for loss in losses]


def test_a_forest_finds_the_knob_that_matters() -> None:
    pytest.importorskip("sklearn")
    found = importance(*sampled())
    assert found is not None
    assert found.method == FANOVA
    shares = {one.knob.keys[0]: one.share or 0.0 for one in found.shares}
    assert found.shares[0].knob.keys == ("lr",)
    assert shares["lr"] > 0.7
    assert shares["width"] + shares["kind"] < 0.15
    assert importance(*sampled()) == found, "the trees are seeded"


def test_without_optuna_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "optuna" else there(name))
    found = importance(*sampled())
    assert found is not None
    assert found.method == ETA
    assert {one.knob.keys[0]: one.share is None for one in found.shares} == {"lr": True, "width": True, "kind": False}
