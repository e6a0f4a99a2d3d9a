"""Proves the counting of memory: what an optimizer keeps, what a step holds (by hand), what this process held."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from quatrain.training.costs import memory
from quatrain.training.memory import StepMemory, forget_peak, optimizer_states, peak_resident, resident, step_memory


@pytest.mark.parametrize(
    ("name", "arguments", "states"),
    [
        ("AdamW", {}, 2),
        ("AdamW", {"amsgrad": True}, 3),
        ("SGD", {"lr": 0.1}, 0),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, 1),
        ("RMSprop", {"centered": True}, 2),
        ("LBFGS", {}, None),
    ],
)
def test_what_optimizers_keep(name: str, arguments: dict[str, Any], states: float | None) -> None:
    assert optimizer_states(getattr(torch.optim, name), arguments) == states


class Square(nn.Module):
    """The logits are x W, the loss their squares' sum: 40 rows, 100 inputs, 30 outputs."""

    label_smoothing = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(100, 30))
        table = SimpleNamespace(out_features=30, weight=self.weight)
        self.model = SimpleNamespace(get_output_embeddings=lambda: table)

    def training_loss(self, batch: dict[str, Any]) -> tuple[torch.Tensor, int]:
        logits = batch["x"] @ self.weight
        return (logits * logits).sum(), 1


BATCH = {"x": torch.zeros(40, 100)}
TABLE, GRADIENT = 40 * 30 * 4, 100 * 30 * 4


@pytest.mark.parametrize(
    ("accumulates", "peak", "logits"),
    [(False, GRADIENT + 2 * TABLE + 4, 2 * TABLE), (True, 2 * GRADIENT + TABLE + 8, TABLE)],
)
def test_a_step_by_hand(accumulates: bool, peak: int, logits: int) -> None:
    """The fullest moment is the second forward pass: the first step's gradient, the logits, their squares, the loss.

    Where gradients stay it is the end of the backward pass: the gradient of W twice, that of the logits, two numbers.
    """
    step = step_memory(Square, BATCH, "32-true", accumulates=accumulates)
    assert (step.peak, step.logits) == (peak, logits)


def test_half_the_bytes_in_true_half_precision() -> None:
    whole = step_memory(Square, BATCH, "32-true", accumulates=False)
    half = step_memory(Square, {"x": BATCH["x"].bfloat16()}, "bf16-true", accumulates=False)
    assert half.peak == pytest.approx(whole.peak / 2, abs=64)


def test_a_model_of_any_size_takes_no_memory() -> None:
    class Large(Square):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.empty(100, 10**9))  # 400 GB

    before = resident()
    assert step_memory(Large, BATCH, "32-true", accumulates=False).peak > 400e9
    assert resident() - before < 50e6


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak cannot be forgotten")
def test_the_peak_of_this_process_can_be_forgotten() -> None:
    before = resident()
    block = np.ones(50_000_000, dtype=np.uint8)
    held = resident()
    assert held - before > 40e6
    del block
    assert peak_resident() > held - 1e6
    forget_peak()
    assert peak_resident() < held - 30e6


def test_the_parts_of_the_peak_add_up() -> None:
    """A model of 10 MB with Adam, a step of 100 MB: with a probe the process is the rest of what was measured."""
    size = SimpleNamespace(weights_bytes=10, gradient_bytes=10, optimizer_bytes=20, bytes=40)
    step = StepMemory(peak=100, logits=30)
    planned = memory(size, step, own=500, peak=700, ranks=2, reloads=True, varied=True)
    parts = ("process", "weights", "gradients", "optimizer", "activations", "logits")
    assert sum(planned[f"memory/{part}"] for part in parts) == planned["memory/peak"] == 700
    assert planned["memory/process"] == 700 - 10 - 20 - 10 - 100  # DDP's copy of the gradients is the third
    assert planned["memory/all ranks"] == 1400
    unprobed = memory(size, step, own=500, peak=None, ranks=1, reloads=True, varied=True)
    assert unprobed["memory/training"] == 500 + 100 + 10 + 20 + 100  # what the heap wastes: as much as the step
    assert memory(size, step, own=None, peak=None, ranks=1, reloads=False, varied=False)["memory/peak"] == 130


def test_after_training_the_best_checkpoint_is_loaded_beside_the_model() -> None:
    size = SimpleNamespace(weights_bytes=100, gradient_bytes=100, optimizer_bytes=200, bytes=400)
    step = StepMemory(peak=110, logits=1)
    assert memory(size, step, own=None, peak=None, ranks=1, reloads=True, varied=True)["memory/peak"] == 400 + 300
    assert memory(size, step, own=None, peak=None, ranks=1, reloads=False, varied=False)["memory/peak"] == 400 + 200
