"""Proves the cheap dropout to be one: the share it drops, the mean it keeps, one mask for both directions, seeds."""

import pytest
import torch
from torch import nn

from quatrain.models.dropout import CheapDropout, cheapen_dropout, draws_cheaply, dropout

COUNT = 200_003  # no multiple of four


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_drops_the_share_that_is_asked_for(p: float, dtype: torch.dtype) -> None:
    """Within five standard deviations of the binomial distribution, also of neighbours, who share random bits."""
    torch.manual_seed(0)
    dropped = dropout(torch.ones(COUNT, dtype=dtype), p) == 0
    assert abs(int(dropped.sum()) - COUNT * p) < 5 * (COUNT * p * (1 - p)) ** 0.5
    both = (dropped[:-1] & dropped[1:]).sum()
    assert abs(int(both) - COUNT * p * p) < 8 * (COUNT * p * p) ** 0.5


def test_what_is_kept_is_scaled_by_the_rounded_share() -> None:
    torch.manual_seed(0)
    kept = dropout(torch.full((1000,), 3.0), 0.1)
    rounded = round(0.1 * 65536) / 65536
    assert set(kept.tolist()) == {0.0, torch.tensor(3.0 / (1 - rounded)).item()}


def test_the_gradient_passes_where_the_value_did() -> None:
    torch.manual_seed(0)
    values = torch.randn(50, 7, requires_grad=True)
    result = dropout(values, 0.3)
    (gradient,) = torch.autograd.grad(result.sum(), values)
    assert torch.allclose(gradient * values, result)


def test_a_seed_fixes_it() -> None:
    values = torch.ones(1000)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(dropout(values, 0.5))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_all_or_nothing(p: float, expected: float) -> None:
    assert torch.equal(dropout(torch.ones(10), p), torch.full((10,), expected))


def test_a_model_is_changed_in_place_and_keeps_its_state() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.2)))
    names = list(model.state_dict())
    cheapen_dropout(model)
    assert [type(one) for one in model.modules() if isinstance(one, nn.Dropout)] == [CheapDropout, CheapDropout]
    assert draws_cheaply(model[0])
    assert not draws_cheaply(nn.Linear(1, 1))
    assert list(model.state_dict()) == names
    model.eval()
    assert torch.equal(model[1](torch.ones(9)), torch.ones(9))
