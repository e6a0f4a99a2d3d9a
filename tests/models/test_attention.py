"""Proves our attention equal to PyTorch's: masks, causality, grouped heads, packed rows; and what it hands on."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from quatrain.core.errors import UserError
from quatrain.models import attention
from quatrain.models.attention import NAME, attend
from quatrain.models.packing import packed_inputs, position_offset


def parts(
    batch: int = 2, heads: int = 4, length: int = 6, dtype: torch.dtype = torch.float32, groups: int = 1
) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = [(batch, heads, length, 8), *[(batch, heads // groups, length, 8)] * 2]
    return [torch.randn(shape).to(dtype) for shape in shapes]


def module(**words: Any) -> nn.Module:
    made = nn.Module()
    made.__dict__.update({"is_causal": False, **words})
    return made


def padding(length: int = 6) -> Tensor:
    mask = torch.ones(2, 1, length, length, dtype=torch.bool)
    mask[1, :, :, 4:] = False
    return mask


@pytest.mark.parametrize("mask", [None, padding(), torch.zeros(2, 1, 6, 6).masked_fill(~padding(), -1e30)])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_written_out_it_is_pytorchs(
    mask: Tensor | None, causal: bool, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = module(is_causal=causal, num_key_value_groups=groups)
    query, key, value = parts(groups=groups)
    expected, _ = attend(caller, query, key, value, mask, scaling=0.3)
    monkeypatch.setattr(attention, "_written_out", lambda *given: True)
    found, weights = attend(caller, query, key, value, mask, scaling=0.3)
    assert weights is None
    assert found.shape == (2, 6, 4, 8)
    assert torch.allclose(found, expected, atol=1e-6)


def test_in_bfloat16_it_is_no_further_from_float32_than_pytorchs() -> None:
    query, key, value = parts(length=32)
    exact, _ = attend(module(), query, key, value, None)
    half = [part.bfloat16() for part in (query, key, value)]
    usual = nn.functional.scaled_dot_product_attention(*half).transpose(1, 2)
    found, _ = attend(module(), *half, None)
    assert (found - exact).abs().mean() <= 1.5 * (usual - exact).abs().mean()


def test_dropout_keeps_the_mean() -> None:
    """Over 4,000 draws of a row of equal weights, within five standard errors."""
    query, key = torch.zeros(4000, 1, 2, 4), torch.zeros(4000, 1, 2, 4)
    value = torch.ones(4000, 1, 2, 4)
    torch.manual_seed(0)
    found, _ = attend(module(_draws_cheaply=True), query, key, value, None, dropout=0.25)
    spread = (0.25 / 0.75 / 2) ** 0.5
    assert abs(float(found[:, 0, 0, 0].mean()) - 1) < 5 * spread / 4000**0.5


def test_what_it_does_not_know_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def record(*given: Any, **more: Any) -> tuple[str, None]:
        seen.append(more)
        return "theirs", None

    monkeypatch.setattr(attention, "sdpa_attention_forward", record)
    bias = torch.zeros(1)
    assert attend(module(), *parts(), None, dropout=0.1, position_bias=bias) == ("theirs", None)
    assert seen[0]["position_bias"] is bias


@pytest.mark.parametrize("family", ["roberta", "bert", "distilbert"])
def test_a_packed_row_reads_each_example_alone(family: str, build: Callable[..., Any]) -> None:
    """Values and gradients, in training mode, where no dropout disturbs the comparison."""
    off = (
        {"attention_dropout": 0.0, "dropout": 0.0}
        if family == "distilbert"
        else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    )
    model = build(family, "masked_lm", words=off)
    assert model.config._attn_implementation == NAME
    ids = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, 0, 0], [13, 0, 0, 0, 0]])
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
    filler = model.config.pad_token_id
    padded = torch.where(real == 1, ids, filler)
    kept = real.bool()
    row = SimpleNamespace(
        input_ids=ids[kept][None],
        position_ids=torch.arange(5).expand(3, 5)[kept][None],
        cu_seqlens=torch.tensor([0, 5, 8, 9], dtype=torch.int32),
        max_seqlen=5,
    )
    alone = model(input_ids=padded, attention_mask=real).logits[kept]
    together = model(**packed_inputs(vars(row), position_offset(model))).logits[0]
    assert torch.allclose(together, alone, atol=1e-5)
    for one, other in zip(_gradients(model, together), _gradients(model, alone), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_gpus_kernel_gets_the_packed_row_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the kernel that reads each example by PyTorch's plain attention."""

    def reference(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, ends_k: Tensor, *longest: int, scale: float):
        assert longest == (4, 4)
        assert ends_k is ends
        rows = [
            [part[start:stop].transpose(0, 1) for part in (query, key, value)]
            for start, stop in itertools.pairwise(ends.tolist())
        ]
        read = [nn.functional.scaled_dot_product_attention(*row, scale=scale).transpose(0, 1) for row in rows]
        return torch.cat(read)

    query, key, value = parts(batch=1, length=7)
    more = {"cu_seq_lens_q": torch.tensor([0, 4, 6, 7], dtype=torch.int32), "max_length_q": 4}
    expected, _ = attend(module(), query, key, value, None, scaling=0.4, **more)
    monkeypatch.setattr(attention, "_has_packed_kernel", lambda *given: True)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", reference)
    found, _ = attend(module(), query, key, value, None, scaling=0.4, **more)
    assert found.shape == (1, 7, 4, 8)
    assert torch.allclose(found, expected, atol=1e-6)


def _gradients(model: nn.Module, logits: Tensor) -> list[Tensor]:
    found = torch.autograd.grad(logits.square().sum(), list(model.parameters()), allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


def test_a_model_that_cannot_read_packed_rows_is_refused(build: Callable[..., Any]) -> None:
    plain = build("roberta", "masked_lm", recipe={"attention": "eager"})
    with pytest.raises(UserError, match=r"speed\.packing=true does not fit model RobertaForMaskedLM: its attention"):
        position_offset(plain)
    config = transformers.ModernBertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        cls_token_id=1,
        sep_token_id=2,
    )
    windowed = transformers.ModernBertForMaskedLM(config)
    windowed.set_attn_implementation(NAME)
    with pytest.raises(UserError, match="without sliding_window"):
        position_offset(windowed)
