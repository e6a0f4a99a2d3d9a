"""What is frozen, adapted and estimated: depths, frozen layers, LoRA, sizes."""

from typing import Any

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.models.adapters import has_adapters, merge_adapters
from quatrain.models.layers import find_blocks, parameter_depths
from quatrain.models.recipe import LanguageModel
from quatrain.models.sizes import measure

from .conftest import GPT2, ROBERTA, SPECIAL

TEXT = torch.tensor([[5, 7, 8, 9, 10, 11]])


@pytest.mark.parametrize(
    ("family", "blocks", "examples"),
    [
        (
            "bert",
            "bert.encoder.layer",
            {"bert.embeddings.LayerNorm.weight": 0, "bert.pooler.dense.weight": 3, "classifier.bias": 3},
        ),
        ("distilbert", "distilbert.transformer.layer", {"distilbert.embeddings.word_embeddings.weight": 0}),
        ("gpt2", "transformer.h", {"transformer.wpe.weight": 0, "transformer.ln_f.bias": 3, "score.weight": 3}),
    ],
)
def test_depths(build: Any, family: str, blocks: str, examples: dict[str, int]) -> None:
    """Every parameter has a depth: embeddings 0, blocks 1 and 2, the rest 3."""
    model = build(family, "sequence_classification", num_labels=2)
    depths = parameter_depths(model)
    assert find_blocks(model)[0] == blocks
    assert set(depths) == {name for name, _ in model.named_parameters()}
    assert {depth for name, depth in depths.items() if name.startswith(f"{blocks}.0.")} == {1}
    assert {depth for name, depth in depths.items() if name.startswith(f"{blocks}.1.")} == {2}
    assert examples.items() <= depths.items()


def test_frozen_layers_do_not_learn(build: Any) -> None:
    """With one frozen layer, gradients reach the second block and the head, and nothing below."""
    model = build("bert", "sequence_classification", recipe={"frozen_layers": 1}, num_labels=2)
    model(input_ids=TEXT).logits.sum().backward()
    depths = parameter_depths(model)
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (depths[name] > 1)
        assert (parameter.grad is not None) == (depths[name] > 1)
    with pytest.raises(UserError, match=r"model.frozen_layers=3 is more than the model's 2 blocks"):
        build("bert", "sequence_classification", recipe={"frozen_layers": 3}, num_labels=2)


@pytest.mark.parametrize(("family", "task"), [("roberta", "sequence_classification"), ("gpt2", "causal_lm")])
def test_lora_trains_only_adapters_and_head_and_merges(build: Any, family: str, task: str) -> None:
    """After a step of training only adapters and head have moved, and the merged plain model gives equal logits."""
    pytest.importorskip("peft")
    model = build(family, task, recipe={"lora": {"r": 2, "alpha": 8}}, num_labels=2)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.Adam((one for one in model.parameters() if one.requires_grad), lr=0.05)
    for _ in range(2):  # the outer matrix starts at zero, so the inner one moves at the second step
        model(input_ids=TEXT).logits.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert any("lora_A" in name for name in moved)
    assert all("lora_" in name or name.startswith("classifier.") for name in moved)
    assert any(name.startswith("classifier.") for name in moved) == (task == "sequence_classification")
    model.eval()
    merged = merge_adapters(model)
    assert has_adapters(model)
    assert not has_adapters(merged)
    assert type(merged) is type(model)
    plain = build(family, task, num_labels=2)
    assert set(merged.state_dict()) == set(plain.state_dict())
    torch.testing.assert_close(merged(input_ids=TEXT).logits, model(input_ids=TEXT).logits, atol=1e-5, rtol=1e-5)


def test_lora_saves_a_plain_model(build: Any, tmp_path: Any, size: Any) -> None:
    pytest.importorskip("peft")
    model = build("roberta", "masked_lm", recipe={"lora": {}})
    merge_adapters(model).save_pretrained(tmp_path)
    again = LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**size).eval()
    torch.testing.assert_close(again(input_ids=TEXT).logits, model.eval()(input_ids=TEXT).logits)


def test_lora_keeps_new_parts_of_the_body_trained(build: Any, tmp_path: Any, size: Any) -> None:
    """A pooler that no weights were found for would stay random if it were frozen."""
    pytest.importorskip("peft")
    build("bert", "masked_lm").save_pretrained(tmp_path)
    recipe = LanguageModel(task="sequence_classification", weights=str(tmp_path), lora={})
    model = recipe.build(**{**size, "special_ids": SPECIAL["bert"]}, num_labels=2)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad and "lora_" not in name}
    assert trained == {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}


def test_lora_with_wrong_modules(build: Any) -> None:
    pytest.importorskip("peft")
    with pytest.raises(UserError, match=r"model.lora.target_modules=\['quary'\] does not fit .* choose among .*query"):
        build("roberta", "masked_lm", recipe={"lora": {"target_modules": ["quary"]}})


def test_sizes_by_hand() -> None:
    """A GPT-2 of width 16: 12 H^2 + 13 H a block, tables of 50 and 12 rows, a last norm; 6 N + 12 L H T operations."""
    recipe = LanguageModel(task="causal_lm", config=GPT2)
    sizes = measure(recipe, tokenizer_size=50, special_ids=SPECIAL["gpt2"], max_length=12)
    blocks, tables, norm = 2 * (12 * 16 * 16 + 13 * 16), (50 + 12) * 16, 2 * 16
    assert sizes.parameters == sizes.trained == blocks + tables + norm
    assert sizes.weights_bytes == sizes.gradient_bytes == 4 * sizes.parameters
    assert sizes.optimizer_bytes == 8 * sizes.parameters
    assert sizes.bytes == 16 * sizes.parameters
    assert sizes.flops_per_token == 6 * (blocks + norm + 50 * 16) + 12 * 2 * 16 * 12


def test_sizes_agree_with_the_built_model(size: Any) -> None:
    recipe = LanguageModel(task="sequence_classification", config=ROBERTA, frozen_layers=1)
    sizes, model = measure(recipe, **size, num_labels=2), recipe.build(**size, num_labels=2)
    assert sizes.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert sizes.trained == sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert sizes.trained < sizes.parameters
