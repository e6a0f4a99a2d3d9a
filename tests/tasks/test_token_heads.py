"""Proves that a token task's switches change neither loss nor gradients nor scores, each alone and all together."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from quatrain.core.batches import IGNORED
from quatrain.tasks.causal_lm import CausalLanguageModel
from quatrain.tasks.masked_lm import MaskedLanguageModel

SWITCHES = [{"sparse_head": True}, {"chunked_loss": True}, {"sparse_head": True, "chunked_loss": True}]
IDS = torch.tensor([[0, 5, 6, 7, 8, 2], [0, 9, 10, 2, 1, 1]])
REAL = (IDS != 1).long()
LABELS = torch.where(torch.tensor([[0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0]]) == 1, IDS, IGNORED)
MASKED = {"input_ids": IDS, "attention_mask": REAL, "labels": LABELS, "example_ids": torch.arange(2)}
WINDOWS = {"input_ids": IDS, "target": IDS.roll(-1, 1), "example_ids": torch.arange(2)}


def step(task: Any, batch: dict[str, Any]) -> tuple[float, int, Tensor]:
    """Loss and number of targets of a training batch, and all gradients in a row."""
    task.model.zero_grad()
    loss, scored = task.training_loss(batch)
    loss.backward()
    return loss.item(), int(scored), torch.cat([one.grad.flatten() for one in task.model.parameters()])


def same(task: Any, plain: Any, batch: dict[str, Any]) -> None:
    found, expected = step(task, batch), step(plain, batch)
    assert found[0] == pytest.approx(expected[0], abs=1e-5)
    assert found[1] == expected[1]
    assert torch.allclose(found[2], expected[2], atol=1e-5)
    with torch.no_grad():
        for one in (task, plain):
            one.eval()
        held_out, reference = task._score(batch, 0.0), plain._score(batch, 0.0)
        assert [float(one) for one in held_out] == pytest.approx([float(one) for one in reference], abs=1e-5)


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_masked_language_model(switches: dict[str, bool], smoothing: float, tiny: Callable[..., Any]) -> None:
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"), label_smoothing=smoothing, **switches)
    assert task.plain_because is None
    same(task, MaskedLanguageModel(tiny("roberta", "masked_lm"), label_smoothing=smoothing), MASKED)


@pytest.mark.parametrize("switches", SWITCHES)
def test_packed_rows(switches: dict[str, bool], tiny: Callable[..., Any]) -> None:
    """The plain task reads the same examples padded."""
    kept = REAL.bool()
    packed = {
        "input_ids": IDS[kept][None],
        "position_ids": torch.arange(6).expand(2, 6)[kept][None],
        "cu_seqlens": torch.tensor([0, 6, 10], dtype=torch.int32),
        "max_seqlen": 6,
        "labels": LABELS[kept][None],
        "example_ids": torch.arange(2),
    }
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"), packing=True, **switches)
    found, expected = step(task, packed), step(MaskedLanguageModel(tiny("roberta", "masked_lm")), MASKED)
    assert found[:2] == (pytest.approx(expected[0], abs=1e-5), expected[1])
    assert torch.allclose(found[2], expected[2], atol=1e-5)


def test_a_causal_language_model(tiny: Callable[..., Any]) -> None:
    task = CausalLanguageModel(tiny("gpt2", "causal_lm"), chunked_loss=True)
    assert task.plain_because is None
    same(task, CausalLanguageModel(tiny("gpt2", "causal_lm")), WINDOWS)


def test_places_that_the_batch_names_are_taken(tiny: Callable[..., Any]) -> None:
    """One of three targets is left out of the places, so the loss is that of the other two."""
    model = tiny("roberta", "masked_lm")
    task = MaskedLanguageModel(model, sparse_head=True, chunked_loss=True)
    _, scored = task.training_loss({**MASKED, "scored_places": torch.tensor([1, 4])})
    assert int(scored) == 2


def test_why_a_head_stays_whole_is_said(tiny: Callable[..., Any]) -> None:
    model = tiny("gpt2", "causal_lm")
    model.get_output_embeddings = lambda: None
    task = CausalLanguageModel(model, chunked_loss=True)
    assert task.plain_because == "it has no plain output table"
    same(task, CausalLanguageModel(tiny("gpt2", "causal_lm")), WINDOWS)


def test_compiled_it_says_the_same(tiny: Callable[..., Any]) -> None:
    """Through the compiler's front, whose graphs are run as they are; the code that it would write is PyTorch's own."""
    model = tiny("roberta", "masked_lm")
    task = MaskedLanguageModel(model, sparse_head=True, chunked_loss=True)
    model.compile(backend="aot_eager")
    found, expected = step(task, MASKED), step(MaskedLanguageModel(tiny("roberta", "masked_lm")), MASKED)
    assert found[0] == pytest.approx(expected[0], abs=1e-5)
    assert torch.allclose(found[2], expected[2], atol=1e-5)
