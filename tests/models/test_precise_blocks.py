"""The lower half of a model computes in float32 where the rest is bfloat16, and all is as before afterwards."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

from quatrain.models.precise_blocks import lower_blocks_in_float32


def bert(layers: int) -> BertModel:
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    return BertModel(BertConfig(num_hidden_layers=layers, **sizes), add_pooling_layer=False).eval()


@pytest.mark.parametrize(("layers", "lower"), [(1, 1), (3, 2), (4, 2)])
def test_the_lower_half_works_in_float32_and_the_upper_in_bfloat16(layers: int, lower: int) -> None:
    model = bert(layers)
    seen: list[torch.dtype] = []
    for block in model.encoder.layer:
        block.intermediate.dense.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    ids = torch.arange(8)[None]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        with lower_blocks_in_float32(model):
            model(ids)
        model(ids)
    half = torch.bfloat16
    assert seen == [torch.float32] * lower + [half] * (layers - lower) + [half] * layers
    assert not any("forward" in vars(block) for block in model.encoder.layer)


def test_it_comes_nearer_to_float32() -> None:
    """Over many rows, the mean error of the last hidden states falls by a fifth at least."""
    model = bert(6)
    ids = torch.randint(0, 50, (64, 16), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[::2, 12:] = 0

    def said() -> torch.Tensor:
        return model(ids, attention_mask=mask).last_hidden_state.float()[mask == 1]

    with torch.no_grad():
        exact = said()
        with torch.autocast("cpu", torch.bfloat16):
            plain = said()
            with lower_blocks_in_float32(model):
                nearer = said()
        with lower_blocks_in_float32(model):
            assert torch.equal(said(), exact)
    assert (nearer - exact).abs().mean() < 0.8 * (plain - exact).abs().mean()


def test_a_failure_within_leaves_nothing_behind_and_a_model_without_blocks_is_taken() -> None:
    model = GPT2Model(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2)).eval()
    with pytest.raises(RuntimeError, match="broken"):
        _broken(model)
    assert "forward" not in vars(model.h[0])
    with lower_blocks_in_float32(nn.Linear(2, 2)):
        pass


def _broken(model: GPT2Model) -> None:
    with lower_blocks_in_float32(model), lower_blocks_in_float32(model):
        assert "forward" in vars(model.h[0])
        assert "forward" not in vars(model.h[1])
        raise RuntimeError("broken")
