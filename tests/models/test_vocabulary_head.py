"""Proves that a head taken apart says what the model says, leaves it as it is, and is refused where it cannot be."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from quatrain.models.vocabulary_head import VocabularyHead

IDS = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
CASES = [("roberta", "masked_lm"), ("bert", "masked_lm"), ("distilbert", "masked_lm"), ("gpt2", "causal_lm")]


def two_parts(head: VocabularyHead, places: Tensor | None) -> Tensor:
    return nn.functional.linear(head.hidden({"input_ids": IDS}, places), head.weight, head.bias)


@pytest.mark.parametrize(("family", "task"), CASES)
def test_both_parts_together_are_the_model(family: str, task: str, build: Callable[..., Any]) -> None:
    model = build(family, task).eval()
    names, whole = list(model.state_dict()), model(input_ids=IDS).logits.flatten(0, 1)
    head, places = VocabularyHead(model), torch.tensor([6, 1, 1])
    assert torch.allclose(two_parts(head, None), whole, atol=1e-6)
    assert torch.allclose(two_parts(head, places), whole[places], atol=1e-6)
    assert torch.allclose(head.logits({"input_ids": IDS}, places), whole[places], atol=1e-6)
    assert torch.equal(model(input_ids=IDS).logits.flatten(0, 1), whole)
    assert list(model.state_dict()) == names
    head.restore()
    assert type(model.get_output_embeddings()) is nn.Linear


def test_a_broken_call_leaves_the_model_whole(build: Callable[..., Any]) -> None:
    model = build("roberta", "masked_lm").eval()
    whole = model(input_ids=IDS).logits
    head = VocabularyHead(model)
    with pytest.raises(IndexError):
        head.hidden({"input_ids": torch.tensor([[10**6]])}, torch.tensor([0]))
    assert torch.equal(model(input_ids=IDS).logits, whole)


def test_the_proof_leaves_modes_and_chance_alone(build: Callable[..., Any]) -> None:
    model = build("roberta", "masked_lm")
    torch.manual_seed(1)
    VocabularyHead(model)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    assert model.training


class Capped(transformers.GPT2LMHeadModel):
    """Bends its logits after the product, as Gemma 2 does."""

    def forward(self, **arguments: Any) -> Any:
        output = super().forward(**arguments)
        output.logits = torch.tanh(output.logits / 0.01)
        return output


def test_logits_that_are_more_than_a_product_are_refused() -> None:
    config = transformers.GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    model = Capped(config)
    with pytest.raises(ValueError, match="more than the product"):
        VocabularyHead(model)
    assert type(model.lm_head) is nn.Linear


def test_a_head_without_a_table_is_refused(build: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no plain output table"):
        VocabularyHead(build("bert", "sequence_classification", num_labels=2))


class Demanding(transformers.GPT2LMHeadModel):
    """Cannot be called with ids alone."""

    def forward(self, **arguments: Any) -> Any:
        raise KeyError("pictures")


def test_models_that_are_called_otherwise_are_refused_too() -> None:
    config = transformers.GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    model = Demanding(config)
    with pytest.raises(ValueError, match=r"cannot be tried on a few ids \(KeyError\)"):
        VocabularyHead(model)
    assert type(model.lm_head) is nn.Linear
    with pytest.raises(ValueError, match="no plain output table"):
        VocabularyHead(nn.Linear(2, 2))
