"""Proves the loss in pieces equal to PyTorch's in one: value, gradients, counts, whatever the pieces."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from quatrain.core.batches import IGNORED
from quatrain.tasks import linear_cross_entropy as module
from quatrain.tasks.linear_cross_entropy import linear_cross_entropy


def made(
    rows: int, width: int, vocab: int, *, ignored: float = 0.3, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(rows, width, generator=random)
    weight, bias = torch.randn(vocab, width, generator=random), torch.randn(vocab, generator=random)
    target = torch.randint(0, vocab, (rows,), generator=random)
    target[torch.rand(rows, generator=random) < ignored] = IGNORED
    return hidden, weight, bias, target


def plain(hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, smoothing: float) -> Tensor:
    logits = functional.linear(hidden, weight, bias)
    return functional.cross_entropy(
        logits.float(), target, ignore_index=IGNORED, reduction="sum", label_smoothing=smoothing
    )


def gradients(loss: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(loss, leaves))


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> bool:
    return bool((found - expected).abs().max().detach() <= tolerance * max(1.0, expected.abs().max().item()))


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 40),
    width=st.integers(1, 8),
    vocab=st.integers(2, 30),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    biased=st.booleans(),
    pieces=st.sampled_from([(1, 1), (8, 8), (16, 8), (1 << 20, 16), (1 << 20, 1 << 20)]),
    seed=st.integers(0, 1000),
)
def test_it_is_the_loss_of_the_whole_table(
    rows: int, width: int, vocab: int, smoothing: float, biased: bool, pieces: tuple[int, int], seed: int
) -> None:
    hidden, weight, bias, target = made(rows, width, vocab, seed=seed)
    leaves = [hidden, weight, *([bias] if biased else [])]
    for leaf in leaves:
        leaf.requires_grad_()
    expected = plain(hidden, weight, bias if biased else None, target, smoothing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CPU_BYTES", (pieces[0] * vocab * 4, pieces[1] * vocab * 4))
        found = linear_cross_entropy(hidden, weight, bias if biased else None, target, label_smoothing=smoothing)
    assert close(found.nats, expected)
    assert found.scored == (target != IGNORED).sum()
    for one, other in zip(gradients(3 * found.nats, leaves), gradients(3 * expected, leaves), strict=True):
        assert close(one, other)


def test_best_guesses_are_counted_where_no_gradient_is_wanted() -> None:
    """By hand: of four rows one is not scored, two of the others have the largest logit at the target."""
    weight = torch.eye(3)
    hidden = torch.tensor([[5.0, 0, 0], [0, 5.0, 0], [0, 0, 5.0], [5.0, 0, 0]])
    target = torch.tensor([0, 2, 2, IGNORED])
    with torch.no_grad():
        found = linear_cross_entropy(hidden, weight, None, target, count_correct=True)
    sure, wrong = -math.log(math.exp(5) / (math.exp(5) + 2)), -math.log(1 / (math.exp(5) + 2))
    assert (int(found.scored), int(found.correct)) == (3, 2)
    assert float(found.nats) == pytest.approx(2 * sure + wrong, rel=1e-6)


def test_nothing_scored_is_zero() -> None:
    hidden, weight, bias, target = made(5, 4, 9, ignored=1.1)
    hidden.requires_grad_()
    found = linear_cross_entropy(hidden, weight, bias, target)
    assert (found.nats.item(), int(found.scored)) == (0.0, 0)
    assert not torch.autograd.grad(found.nats, hidden)[0].any()


def test_only_the_gradients_that_are_wanted_are_made() -> None:
    hidden, weight, bias, target = made(5, 4, 9)
    hidden.requires_grad_()
    found = linear_cross_entropy(hidden, weight, bias, target)
    assert close(
        torch.autograd.grad(found.nats, hidden)[0],
        torch.autograd.grad(plain(hidden, weight, bias, target, 0), hidden)[0],
    )
    assert weight.grad is None


def test_the_gradient_is_there_once() -> None:
    hidden, weight, bias, target = made(5, 4, 9)
    found = linear_cross_entropy(hidden.requires_grad_(), weight, bias, target)
    found.nats.backward()
    with pytest.raises(RuntimeError):
        found.nats.backward()


def test_bfloat16_is_as_near_as_autocast_brings_the_plain_way() -> None:
    """Under autocast both round the products to bfloat16; neither loss nor gradient is further from float32's."""
    hidden, weight, bias, target = made(64, 32, 500, ignored=0.0)
    leaves = [hidden.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    exact = plain(hidden, weight, bias, target, 0.0)
    with torch.autocast("cpu", torch.bfloat16):
        usual = plain(hidden, weight, bias, target, 0.0)
        ours = linear_cross_entropy(hidden, weight, bias, target).nats
    assert ours.dtype == torch.float32
    assert abs((ours - exact).item()) <= max(1.5 * abs((usual - exact).item()), 1e-4 * exact.item())
    rows: Any = zip(gradients(exact, leaves), gradients(usual, leaves), gradients(ours, leaves), strict=True)
    for right, plainly, found in rows:
        assert found.dtype == torch.float32
        assert (found - right).norm() <= 1.2 * (plainly - right).norm() + 1e-6
