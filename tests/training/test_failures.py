"""Proves that smaller micro-batches keep every optimizer step's examples, and that failures are told in words."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from quatrain.runs.changes import Change
from quatrain.runs.changes import changed as runs_changed
from quatrain.training.failures import is_out_of_memory, lost_loader_worker, out_of_memory, smaller_batches

from .exact_resume import config_of, only, train
from .test_guards import Seen


def config(size: int, accumulated: int = 1, *, drop_last: bool = False, **trainer: Any) -> dict[str, Any]:
    every = {"val_check_interval": 1.0, "limit_train_batches": 1.0, "limit_val_batches": 1.0, "overfit_batches": 0.0}
    every |= {"accumulate_grad_batches": accumulated, **trainer}
    return {"data": {"batch_size": size, "drop_last": drop_last}, "trainer": every}


def changed(before: dict[str, Any], settings: dict[str, int]) -> dict[str, Any]:
    return runs_changed(before, [Change("memory", settings)])


def epoch(settings: dict[str, Any], examples: int) -> tuple[list[list[int]], dict[str, int]]:
    """The examples of each optimizer step of an epoch, and what Lightning counts, as it does it."""
    size, accumulated = settings["data"]["batch_size"], settings["trainer"]["accumulate_grad_batches"]
    batches = [list(range(start, min(start + size, examples))) for start in range(0, examples, size)]
    if settings["data"]["drop_last"] and len(batches[-1]) < size:
        batches.pop()
    limit = settings["trainer"]["limit_train_batches"]
    count = int(len(batches) * limit) if isinstance(limit, float) else min(limit, len(batches))
    batches = batches[:count]
    interval = settings["trainer"]["val_check_interval"]
    check = interval if isinstance(interval, int) else max(1, int(count * interval))
    steps = [[*chain(*batches[start : start + accumulated])] for start in range(0, count, accumulated)]
    validated_at = min(check, count) * size
    return steps, {
        "trainer.limit_train_batches": count,
        "trainer.val_check_interval": check,
        "validated after": validated_at,
    }


limits = st.one_of(st.just(1.0), st.floats(0.2, 0.99), st.integers(1, 9))


@given(
    size=st.integers(2, 30),
    accumulated=st.integers(1, 4),
    examples=st.integers(60, 300),
    drop_last=st.booleans(),
    limit=limits,
    interval=limits,
)
def test_every_step_keeps_its_examples(
    size: int, accumulated: int, examples: int, drop_last: bool, limit: float, interval: float
) -> None:
    """Down to one example a micro-batch, for whole numbers, shares and dropped batches; validations come as before."""
    settings = config(size, accumulated, drop_last=drop_last, limit_train_batches=limit, val_check_interval=interval)
    steps, counted = epoch(settings, examples)
    assume(steps)  # Lightning refuses a share of no batch
    while settings["data"]["batch_size"] > 1:
        smaller = smaller_batches(settings, counted)
        assert smaller is not None
        settings = changed(settings, smaller)
        again, counted_again = epoch(settings, examples)
        assert again == steps
        if counted["trainer.val_check_interval"] < counted["trainer.limit_train_batches"]:
            assert counted_again["validated after"] == counted["validated after"]
        counted = counted_again
    assert smaller_batches(settings, counted) is None


def test_the_smallest_factor_is_taken() -> None:
    assert smaller_batches(config(12, 2), {}) == {"data.batch_size": 6, "trainer.accumulate_grad_batches": 4}
    assert smaller_batches(config(15), {}) == {"data.batch_size": 5, "trainer.accumulate_grad_batches": 3}
    assert smaller_batches({**config(4), "data": {}}, {}) is None


def test_shares_that_nobody_counted_cannot_be_kept() -> None:
    """Memory was out before Lightning had counted the batches."""
    assert smaller_batches(config(4, limit_train_batches=0.5), {}) is None
    assert smaller_batches(config(4, drop_last=True), {}) is None


def test_a_run_goes_on_with_smaller_batches_at_the_same_examples(tmp_path: Path) -> None:
    """From the midst of an epoch: the steps that follow see what they would have seen, and the losses are as near as
    sums in another order are.
    """
    plain = ("model.config.hidden_dropout_prob=0.0", "model.config.attention_probs_dropout_prob=0.0")
    large = config_of("classification", *plain, "trainer.val_check_interval=4")
    seen = Seen()
    whole = train(large, tmp_path / "whole", also=seen)
    start = next(saved for saved in whole.checkpoints if saved.step == 3)
    settings = smaller_batches(large, {})
    assert settings is not None
    again = Seen()
    rest = train(changed(large, settings), only(start, tmp_path / "rest"), also=again)
    halves = [sorted(one + two) for one, two in zip(again.batches[::2], again.batches[1::2], strict=True)]
    assert halves == seen.batches[3:]
    losses, others = ({row["step"]: row for row in run.rows if "train/loss" in row} for run in (whole, rest))
    assert list(others) == list(losses)[3:]
    for step, row in others.items():
        assert row["train/loss"] == pytest.approx(losses[step]["train/loss"], abs=1e-5)
        assert row["train/lr"] == losses[step]["train/lr"]
    scored = [[row["step"] for row in run.rows if "val/loss" in row] for run in (whole, rest)]
    assert scored[1] == [step for step in scored[0] if step > 3]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory: not enough memory"),
    ],
)
def test_errors_of_memory(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(ValueError("out of memory"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_what_to_lower_and_by_how_much() -> None:
    large = config(32, 2)
    told = out_of_memory(large, smaller_batches(large, {}), "GPU")
    assert told.startswith("The memory of the GPU did not suffice with data.batch_size=32;")
    assert "data.batch_size=16 trainer.accumulate_grad_batches=4, which trainer.auto_batch=true does" in told
    least = out_of_memory(config(1), None, "machine")
    assert "data.batch_size=1; lower data.max_length, choose a smaller model" in least


def test_a_lost_loader_is_named() -> None:
    told = lost_loader_worker(RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed. "))
    assert told is not None
    assert told.startswith("The loader process 4711, one of data.num_workers, is killed by signal: Killed;")
    several = lost_loader_worker(RuntimeError("DataLoader worker (pid(s) 12, 13) exited unexpectedly"))
    assert several is not None
    assert "The loader process 12, 13," in several
    assert lost_loader_worker(RuntimeError("something else")) is None
