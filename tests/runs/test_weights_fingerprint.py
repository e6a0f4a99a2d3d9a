"""The fingerprint of weights is of names, kinds, shapes and bits, and of nothing else."""

import pytest
import torch
from torch import nn

from quatrain.runs.weights import fingerprint, weights_fingerprint


def model(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3), nn.BatchNorm1d(3))


def test_equal_seeds_give_equal_fingerprints_and_others_others() -> None:
    assert weights_fingerprint(model(1)) == weights_fingerprint(model(1))
    assert weights_fingerprint(model(1)) != weights_fingerprint(model(2))


def test_where_and_how_the_tensors_lie_is_no_matter() -> None:
    whole = model(1)
    state = whole.state_dict()
    wide = torch.zeros(8, 10).t()
    wide[:, ::2] = state["0.weight"]
    spread = {**{name: tensor.clone() for name, tensor in state.items()}, "0.weight": wide[:, ::2]}
    assert not spread["0.weight"].is_contiguous()
    assert fingerprint(dict(reversed(spread.items()))) == weights_fingerprint(whole)
    assert weights_fingerprint(whole.requires_grad_(False).eval()) == fingerprint(spread)


@pytest.mark.parametrize(
    "other",
    [
        {"a": torch.tensor([[1.0, 2.0]])},
        {"b": torch.tensor([1.0, 2.0])},
        {"a": torch.tensor([1.0, 2.0], dtype=torch.float64)},
        {"a": torch.tensor([1.0, 2.0]).view(torch.int32)},
        {"a": torch.tensor([2.0, 1.0])},
        {"a": torch.tensor([1.0, 2.0]), "b": torch.zeros(0)},
    ],
)
def test_a_name_a_shape_a_kind_or_a_bit_makes_another(other: dict[str, torch.Tensor]) -> None:
    assert fingerprint(other) != fingerprint({"a": torch.tensor([1.0, 2.0])})


def test_the_sign_of_zero_is_a_bit() -> None:
    assert fingerprint({"a": torch.tensor(0.0)}) != fingerprint({"a": torch.tensor(-0.0)})


def test_every_kind_of_number_and_a_tensor_of_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = (torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int8, torch.bool, torch.complex64)
    state = {str(kind): torch.ones(5).to(kind) for kind in kinds}
    assert fingerprint(state) == fingerprint({name: tensor.clone() for name, tensor in state.items()})
    many = {"a": torch.arange(1000.0)}
    whole = fingerprint(many)
    monkeypatch.setattr("quatrain.runs.weights.CHUNK_BYTES", 64)
    assert fingerprint(many) == whole


def test_tied_weights_are_read_once_and_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    tied = torch.arange(4.0)
    read = []
    from quatrain.runs import weights

    digest = weights._digest
    monkeypatch.setattr(weights, "_digest", lambda tensor: read.append(1) or digest(tensor))
    assert fingerprint({"a": tied, "b": tied}) == fingerprint({"a": tied.clone(), "b": tied.clone()})
    assert len(read) == 3
