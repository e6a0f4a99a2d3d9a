"""The arithmetic of a step: by hand, against PyTorch's own count, and nothing that the loss does not ask for."""

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from quatrain.models.flops import ModelFlops, model_flops

WIDTH, BLOCKS = 16, 2
"""Of the models of conftest."""


def counted(model: Any) -> ModelFlops:
    found = model_flops(model, model.config.to_dict())
    assert found is not None
    return found


@pytest.mark.parametrize(("family", "task"), [("gpt2", "causal_lm"), ("roberta", "masked_lm"), ("bert", "masked_lm")])
def test_as_pytorch_counts_where_every_token_is_scored(build: Any, family: str, task: str) -> None:
    """Norms and biases, at this width a tenth, are counted as weights here, and as nothing there."""
    model = build(family, task, recipe={"attention": "eager"})
    ids = torch.randint(5, 40, (3, 10))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids).logits.sum().backward()
    found = counted(model).of(tokens=30, scored=30, attended=3 * 10 * 10)
    assert found == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_the_head_of_a_masked_lm_counts_for_hidden_tokens_alone(build: Any) -> None:
    """Transform, norm, output table and bias: so a head that computes all other places too gains nothing by it."""
    model = build("roberta", "masked_lm")
    vocabulary = model.config.vocab_size
    head = WIDTH * WIDTH + WIDTH + 2 * WIDTH + vocabulary * WIDTH + vocabulary
    whole = sum(weight.numel() for weight in model.parameters())
    tables = model.roberta.embeddings
    looked_up = tables.position_embeddings.weight.numel() + tables.token_type_embeddings.weight.numel()
    found = counted(model)
    assert found.scored == 6 * head
    assert found.token == 6 * (whole - head - looked_up)
    assert found.pair == 12 * BLOCKS * WIDTH


def test_a_classifier_has_its_head_for_each_example(build: Any) -> None:
    model = build("bert", "sequence_classification", num_labels=3)
    pooler, classifier = WIDTH * WIDTH + WIDTH, 3 * WIDTH + 3
    assert counted(model).scored == 6 * (pooler + classifier)


def test_frozen_weights_count_for_what_they_do(build: Any) -> None:
    """The frozen lower block works forward only, the trained one above it forward, backward and for its gradient."""
    free = counted(build("bert", "sequence_classification", num_labels=2))
    model = build("bert", "sequence_classification", recipe={"frozen_layers": 1}, num_labels=2)
    block = sum(weight.numel() for weight in model.bert.encoder.layer[0].parameters())
    norm = 2 * WIDTH
    assert free.token - counted(model).token == (6 - 2) * (block + norm)


def test_adapters_have_gradients_pass_through_frozen_weights(build: Any) -> None:
    pytest.importorskip("peft")
    full = counted(build("gpt2", "causal_lm"))
    adapted = counted(build("gpt2", "causal_lm", recipe={"lora": {"r": 1, "alpha": 1}}))
    assert full.token * 4 / 6 * 0.9 < adapted.token < full.token * 0.9
    assert adapted.scored == full.scored * 4 // 6


def test_unknown_stays_unknown(build: Any) -> None:
    model = build("bert", "masked_lm")
    config = model.config.to_dict()
    assert model_flops(model, {name: value for name, value in config.items() if name != "hidden_size"}) is None
    assert model_flops(model, config | {"num_local_experts": 8}) is None
