"""Proves the fused activation to be the one that transformers writes out: values, gradients, and which are replaced."""

import pytest
import torch
from torch import nn
from transformers.activations import ACT2FN

from quatrain.models.activations import FusedGELU, fuse_activations


@pytest.mark.parametrize("name", ["gelu_new", "gelu_fast"])
def test_it_says_the_same(name: str) -> None:
    values = torch.linspace(-6, 6, 2001, requires_grad=True)
    model = nn.Sequential(ACT2FN[name])
    expected = model(values)
    (slope,) = torch.autograd.grad(expected.sum(), values)
    fuse_activations(model)
    found = model(values)
    assert type(model[0]) is FusedGELU
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(torch.autograd.grad(found.sum(), values)[0], slope, atol=1e-5)


def test_other_activations_stay() -> None:
    model = nn.Sequential(ACT2FN["gelu"], ACT2FN["quick_gelu"], nn.ReLU())
    before = [type(module) for module in model]
    fuse_activations(model)
    assert [type(module) for module in model] == before
