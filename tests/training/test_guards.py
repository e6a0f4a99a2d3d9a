"""Proves that a loss or gradient which is not a number ends the run at its step, with all that one needs to know, and
that the checkpoint before it is whole.
"""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from quatrain.core.errors import UserError
from quatrain.training.checkpoint_files import newest_whole, read
from quatrain.training.guards import StopAtNonFinite

from .exact_resume import config_of, train


class Seen(Callback):
    """Remembers the examples of every micro-batch, and does ``harm`` to the model before the ``at``-th."""

    def __init__(self, harm: Any = None, at: int = 0) -> None:
        self.harm, self.at = harm, at
        self.batches: list[list[int]] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.batches.append(sorted(batch["example_ids"].tolist()))
        if len(self.batches) == self.at:
            self.harm(pl_module.model)


def poison(model: torch.nn.Module) -> None:
    next(model.parameters()).data.fill_(math.nan)


def burst(model: torch.nn.Module) -> None:
    next(model.parameters()).register_hook(lambda gradient: gradient * math.inf)


@pytest.mark.parametrize(
    ("harm", "words"), [(poison, r"loss of step 3 is nan"), (burst, r"norm of the gradients of step 3 is (nan|inf)")]
)
def test_the_step_the_rate_and_the_examples_are_told(harm: Any, words: str, tmp_path: Path) -> None:
    """Two micro-batches a step; the fifth is the first of step 3."""
    seen = Seen(harm, at=5)
    config = config_of("classification", "trainer.accumulate_grad_batches=2", "optimizer.lr=1e-3", "schedule=constant")
    config["schedule"]["warmup"] = 0
    with pytest.raises(UserError, match=words) as error:
        train(config, tmp_path, also=seen)
    ids = sorted(seen.batches[4] + seen.batches[5])
    assert f"learning rate 0.001, with the examples {', '.join(map(str, ids))};" in str(error.value)
    before = newest_whole(tmp_path / "checkpoints", pytest.fail)
    assert before is not None
    assert before.step == 2
    assert all(torch.isfinite(weight).all() for weight in read(before.path)["state_dict"].values())


def test_a_rate_that_is_far_too_high(tmp_path: Path) -> None:
    config = config_of("causal_lm", "optimizer.lr=1e30", "schedule=constant")
    config["schedule"]["warmup"] = 0
    with pytest.raises(UserError, match=r"of step 2 is .*Lower optimizer\.lr"):
        train(config, tmp_path)


def test_a_step_in_which_nothing_is_scored_is_no_error(tmp_path: Path) -> None:
    """Hardly any token is masked, so some batches ask for nothing."""
    run = train(
        config_of("masked_lm", "data.mask_probability=0.005", "trainer.limit_train_batches=8", "data.batch_size=2"),
        tmp_path,
    )
    scored = [row["train/scored"] for row in run.rows if "train/scored" in row]
    assert 0 in scored
    assert len(scored) == 16


def judge(losses: list[tuple[list[int], float]], told: dict[str, float], **trainer: Any) -> None:
    """One optimizer step of the micro-batches ``losses``."""
    guard = StopAtNonFinite()
    task = SimpleNamespace(last_step=told, device=torch.device("cpu"))
    for place, (ids, loss) in enumerate(losses, start=1):
        step = 1 if place == len(losses) else 0
        state = {"global_step": step, "precision_plugin": SimpleNamespace(**trainer)}
        batch = {"example_ids": torch.tensor(ids)}
        guard.on_train_batch_end(SimpleNamespace(**state), task, {"loss": torch.tensor(loss)}, batch, place)  # type: ignore[arg-type]


def test_the_micro_batch_is_singled_out() -> None:
    """Only the second has a loss that is no number; -8 stands for row 7 once more."""
    with pytest.raises(UserError, match="with the examples 2, 7;"):
        judge([([0, 1], 0.5), ([2, -8], math.nan), ([4, 5], 0.25)], {"train/loss": math.nan, "train/lr": 0.1})


def test_many_examples_are_counted() -> None:
    with pytest.raises(UserError, match="5, 6, 7 and 17 more;"):
        judge([(list(range(25)), math.inf)], {"train/loss": math.inf})


def test_the_scalers_own_infinity_is_no_error() -> None:
    """Under float16 the scaler tries a scale, finds it too large, and skips the step."""
    judge([([0], 0.5)], {"train/loss": 0.5, "train/grad_norm": math.inf}, scaler=object())
    with pytest.raises(UserError, match="norm of the gradients"):
        judge([([0], 0.5)], {"train/loss": 0.5, "train/grad_norm": math.inf})
