"""Proves which parameters decay, which learning rate each gets, and that the built optimizer steps as it should."""

import pytest
import torch
from torch import nn

from quatrain.core.errors import UserError
from quatrain.training.optimizers import make_optimizer, parameter_groups


class TinyRMSNorm(nn.Module):
    """A norm that PyTorch does not know, as model libraries have them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))


class TiedModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(7, 4)
        self.layer = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.norm = nn.LayerNorm(4)
        self.other_norm = TinyRMSNorm()
        self.head = nn.Linear(4, 7)
        self.head.weight = self.embeddings.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        hidden = self.embeddings(ids)
        for layer in self.layer:
            hidden = torch.tanh(layer(hidden))
        return self.head(self.norm(hidden) * self.other_norm.weight)


def names(model: nn.Module, group: dict) -> set[str]:
    by_id = {id(parameter): name for name, parameter in model.named_parameters()}
    return {by_id[id(parameter)] for parameter in group["params"]}


def test_biases_and_norms_do_not_decay_and_a_tied_weight_stands_once() -> None:
    model = TiedModel()
    decayed, undecayed = parameter_groups(model, lr=0.1, weight_decay=0.01)
    assert names(model, decayed) == {"embeddings.weight", "layer.0.weight", "layer.1.weight"}
    expected = {"layer.0.bias", "layer.1.bias", "norm.weight", "norm.bias", "other_norm.weight", "head.bias"}
    assert names(model, undecayed) == expected
    assert (decayed["weight_decay"], undecayed["weight_decay"]) == (0.01, 0.0)
    assert decayed["lr"] == undecayed["lr"] == 0.1


def test_frozen_parameters_are_in_no_group() -> None:
    model = TiedModel()
    model.layer[0].requires_grad_(False)
    found = set().union(*(names(model, group) for group in parameter_groups(model, lr=1, weight_decay=0)))
    assert found == {name for name, _ in model.named_parameters() if not name.startswith("layer.0.")}
    model.requires_grad_(False)
    with pytest.raises(UserError, match="all are frozen"):
        make_optimizer(model, torch.optim.AdamW, lr=0.1)


def test_the_learning_rate_falls_by_layer_as_in_electra() -> None:
    """Embeddings 0, layers 1 and 2, the head 3: 0.1 * 0.5 ** (3 - depth)."""
    model = TiedModel()
    depths = {"embeddings": 0, "layer.0": 1, "layer.1": 2, "head": 3}
    groups = parameter_groups(model, lr=0.1, weight_decay=0.01, depths=depths, layer_lr_decay=0.5)
    rates = {name: group["lr"] for group in groups for name in names(model, group)}
    assert rates["embeddings.weight"] == pytest.approx(0.0125)
    assert rates["layer.0.weight"] == rates["layer.0.bias"] == pytest.approx(0.025)
    assert rates["layer.1.weight"] == pytest.approx(0.05)
    assert rates["head.bias"] == rates["norm.weight"] == pytest.approx(0.1)


def test_depths_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match=r"begins with one of elsewhere"):
        parameter_groups(TiedModel(), lr=0.1, weight_decay=0, depths={"elsewhere": 0}, layer_lr_decay=0.5)


def test_every_trainable_parameter_is_in_exactly_one_group() -> None:
    model = TiedModel()
    for depths in (None, {"layer.0": 0, "layer.1": 1}):
        groups = parameter_groups(model, lr=0.1, weight_decay=0.1, depths=depths, layer_lr_decay=0.9)
        dealt = [id(parameter) for group in groups for parameter in group["params"]]
        assert sorted(dealt) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("name", ["AdamW", "Adam", "SGD", "Adagrad", "RMSprop", "NAdam", "Rprop", "LBFGS", "Adafactor"])
def test_any_class_of_torch_learns(name: str) -> None:
    """Each class is built by its own arguments and lowers the loss of one batch."""
    torch.manual_seed(0)
    model = TiedModel()
    optimizer = make_optimizer(model, getattr(torch.optim, name), lr=0.01)
    ids = torch.arange(7)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids), ids)
        loss.backward()
        return loss

    first = closure().item()
    for _ in range(5):
        optimizer.step(closure)
    assert closure().item() < first


def test_fused_where_it_exists_and_only_if_nothing_speaks_against_it() -> None:
    model = TiedModel()
    assert make_optimizer(model, torch.optim.AdamW).defaults["fused"] is True
    assert make_optimizer(model, torch.optim.AdamW, fused=False).defaults["fused"] is False
    assert make_optimizer(model, torch.optim.AdamW, foreach=True).defaults["fused"] is None
    assert "fused" not in make_optimizer(model, torch.optim.NAdam).defaults


def test_fused_steps_equal_plain_ones() -> None:
    weights = []
    for fused in (True, False):
        torch.manual_seed(0)
        model = TiedModel()
        optimizer = make_optimizer(model, torch.optim.AdamW, lr=0.01, weight_decay=0.1, betas=[0.9, 0.98], fused=fused)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.arange(7)).pow(2).sum().backward()
            optimizer.step()
        weights.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-5, atol=1e-6)


def test_arguments_that_the_class_refuses_are_a_sentence() -> None:
    with pytest.raises(UserError, match="optimizer: AdamW cannot be built: Invalid learning rate: -1"):
        make_optimizer(TiedModel(), torch.optim.AdamW, lr=-1.0)
    with pytest.raises(UserError, match=r"optimizer: SGD cannot be built: .*beta"):
        make_optimizer(TiedModel(), torch.optim.SGD, lr=0.1, beta=1)
