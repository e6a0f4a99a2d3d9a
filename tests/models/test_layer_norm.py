"""Proves that low-precision layer norms change nothing in float32, and under autocast no more than one rounding."""

import torch
from torch import nn

from quatrain.models.layer_norm import LowPrecisionLayerNorm, lower_layer_norms


def test_in_float32_every_bit_stays() -> None:
    torch.manual_seed(0)
    model, values = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 4)), torch.randn(5, 16)
    names, expected = list(model.state_dict()), model(values)
    lower_layer_norms(model)
    assert type(model[0]) is LowPrecisionLayerNorm
    assert list(model.state_dict()) == names
    assert torch.equal(model(values), expected)


def test_under_autocast_it_is_the_rounded_norm() -> None:
    """Input and output are rounded once each: two times 2**-9 of the largest value, and what the spread adds to it."""
    torch.manual_seed(0)
    model, values = nn.Sequential(nn.LayerNorm(64)), torch.randn(9, 64, requires_grad=True)
    nn.init.normal_(model[0].weight, 1.0, 0.1)
    expected = model(values)
    lower_layer_norms(model)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(values)
    assert found.dtype == torch.bfloat16
    assert (found - expected).abs().max() < 3 * 2**-9 * expected.abs().max()
    found.float().square().sum().backward()
    assert values.grad is not None
    assert model[0].weight.grad.dtype == torch.float32
