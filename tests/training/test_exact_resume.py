"""Proves that a training which goes on from a checkpoint gives, bit for bit, what the unbroken one gives: every loss,
learning rate, gradient norm, validation score, sample and epoch after it, and the last weights.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from quatrain.training.checkpoint_files import saved_in

from .exact_resume import Run, config_of, only, train

CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    # three micro-batches a step and ten in an epoch; a validation after the fourth, in the midst of a step
    "accumulation, validation within a step, bfloat16": (
        "masked_lm",
        (
            "trainer.accumulate_grad_batches=3",
            "trainer.limit_train_batches=10",
            "trainer.val_check_interval=4",
            "trainer.limit_val_batches=2",
            "speed.precision=bf16-mixed",
        ),
        1,
    ),
    "loader processes, a validation every second epoch": (
        "causal_lm",
        (
            "data.num_workers=2",
            "trainer.max_epochs=3",
            "trainer.check_val_every_n_epoch=2",
            "trainer.limit_train_batches=4",
        ),
        3,
    ),
    "validations within an epoch, an end within another": (
        "classification",
        ("trainer.val_check_interval=0.5", "trainer.max_steps=11"),
        2,
    ),
    "no validation": ("causal_lm", ("trainer.limit_val_batches=0", "trainer.limit_train_batches=5"), 3),
}


def is_the_rest(rest: Run, whole: Run, step: int) -> bool:
    """Whether ``rest`` holds all of ``whole`` after ``step``, and nothing else but a validation of that step again."""
    return whole.scores() | rest.scores() == whole.scores() and set(whole.scores(step)) <= set(rest.scores())


def same_weights(one: Run, other: Run) -> bool:
    return all(torch.equal(weight, other.weights[name]) for name, weight in one.weights.items())


@pytest.mark.parametrize("name", CASES)
def test_from_any_checkpoint_the_rest_is_the_unbroken_runs(name: str, tmp_path: Path) -> None:
    task, overrides, every = CASES[name]
    config = config_of(task, *overrides)
    whole = train(config, tmp_path / "whole")
    steps = [saved.step for saved in whole.checkpoints if saved.resumable]
    assert len(steps) >= 8
    assert len({row["train/loss"] for row in whole.rows if "train/loss" in row}) == steps[-1]
    for saved in [saved for saved in whole.checkpoints if saved.resumable][::every]:
        rest = train(config, only(saved, tmp_path / saved.path.name))
        assert is_the_rest(rest, whole, saved.step), saved.path.name
        assert rest.answers(saved.step) == whole.answers(saved.step), saved.path.name
        assert same_weights(rest, whole), saved.path.name


HOOKS: dict[str, tuple[int, ...]] = {
    "on_train_start": (1,),
    "on_train_epoch_start": (2,),
    "on_train_batch_start": (1, 2, 5, 8),
    "on_before_optimizer_step": (1, 3),
    "on_train_batch_end": (1, 4, 5, 6),
    "on_validation_start": (1, 3),
    "on_validation_batch_end": (1, 3, 4),
    "on_validation_end": (2, 3),
    "on_train_epoch_end": (1, 2),
}
"""Where a signal comes: a hook, and its how-many-th call. Two epochs of three steps of two micro-batches, a validation
after each step."""


def test_a_stop_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    config = config_of(
        "classification",
        "trainer.accumulate_grad_batches=2",
        "trainer.limit_train_batches=6",
        "trainer.val_check_interval=2",
        "callbacks.checkpoints.every_n_steps=null",
    )
    whole = train(config, tmp_path / "whole")
    for hook, counts in HOOKS.items():
        for count in counts:
            folder = tmp_path / f"{hook}-{count}"
            stopped = train(config, folder, stop_at=(hook, count))
            assert stopped.stopped, (hook, count)
            assert stopped.stopped.saved, (hook, count)
            step = saved_in(folder / "checkpoints")[0].step
            assert step == max([row["step"] for row in stopped.rows], default=0)
            rest = train(config, folder)
            assert rest.stopped is None
            assert stopped.scores() | rest.scores() == whole.scores(), (hook, count)
            assert same_weights(rest, whole), (hook, count)


def test_a_stop_comes_after_the_step_that_it_finds(tmp_path: Path) -> None:
    """In the first of three micro-batches of step 2: the step is completed, and no third one begins."""
    config = config_of("classification", "trainer.accumulate_grad_batches=3", "data.batch_size=2")
    stopped = train(config, tmp_path, stop_at=("on_train_batch_start", 4))
    assert [saved.step for saved in stopped.checkpoints] == [1, 2]
    assert [row["step"] for row in stopped.rows] == [1, 2]


def test_a_stop_in_a_validation_within_a_step_goes_on_from_before_that_step(tmp_path: Path) -> None:
    config = config_of(
        "classification",
        "trainer.accumulate_grad_batches=3",
        "trainer.val_check_interval=5",
        "trainer.limit_train_batches=7",
    )
    whole = train(config, tmp_path / "whole")
    stopped = train(config, tmp_path / "stopped", stop_at=("on_validation_batch_end", 1))
    assert stopped.stopped is not None
    assert not stopped.stopped.saved
    rest = train(config, tmp_path / "stopped")
    assert is_the_rest(rest, whole, 1)
    assert same_weights(rest, whole)


def test_stopped_again_and_again(tmp_path: Path) -> None:
    """Three stops, each in the run that goes on from the one before."""
    config = config_of("causal_lm", "trainer.limit_train_batches=5", "data.num_workers=1")
    whole = train(config, tmp_path / "whole")
    scores: dict[Any, str] = {}
    for _ in range(3):
        part = train(config, tmp_path / "parts", stop_at=("on_train_batch_end", 3))
        assert part.stopped is not None
        scores |= part.scores()
    last = train(config, tmp_path / "parts")
    assert scores | last.scores() == whole.scores()
    assert same_weights(last, whole)


def test_an_early_stop_stays_one(tmp_path: Path) -> None:
    """A rate of zero improves nothing: the run ends after the second epoch, and resumed from its end trains nothing."""
    config = config_of(
        "classification", "callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=0"
    )
    config["trainer"]["max_epochs"] = 5
    config["callbacks"]["checkpoints"] |= {"every_n_steps": None, "keep": 2}
    whole = train(config, tmp_path)
    assert {row["epoch"] for row in whole.rows} == {0, 1}
    again = train(config, tmp_path)
    assert again.rows == []
    assert same_weights(again, whole)


def test_more_epochs_with_a_constant_rate_are_the_longer_run(tmp_path: Path) -> None:
    long = config_of("classification", "schedule=constant", "callbacks.checkpoints.keep=2")
    whole = train(long, tmp_path / "whole")
    short = config_of("classification", "schedule=constant", "callbacks.checkpoints.keep=2", "trainer.max_epochs=1")
    first = train(short, tmp_path / "parts")
    rest = train(long, tmp_path / "parts")
    assert first.scores() | rest.scores() == whole.scores()
    assert same_weights(rest, whole)


def test_checkpoints_by_minutes_follow_a_clock_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute passes with each step: one is written at every second step, whatever else comes in between."""
    now = [1000.0]
    monkeypatch.setattr("quatrain.training.checkpoints.time", SimpleNamespace(monotonic=lambda: now[0]))

    class Minute(Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            now[0] += 60

    config = config_of(
        "classification", "callbacks.checkpoints.every_n_steps=null", "callbacks.checkpoints.every_minutes=2"
    )
    run = train(config, tmp_path, also=Minute())
    assert [saved.step for saved in run.checkpoints] == [2, 4, 6, 8, 10, 12, 14, 16]
