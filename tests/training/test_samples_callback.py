"""What the model says at each validation: the same questions, asked once for each, and a training that is unmoved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from quatrain.training.experiment import assemble, assemble_trainer, choose
from quatrain.training.preemption import StopRequest
from quatrain.training.samples import Samples
from quatrain.training.seeding import seed_everything

from .exact_resume import TASKS, config_of

SHORT = (
    "trainer.max_steps=4",
    "trainer.val_check_interval=2",
    "trainer.limit_val_batches=2",
    "callbacks.checkpoints.keep=0",
)


class Listening:
    """A logger's part that takes samples."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def log_samples(self, rows: list[dict[str, Any]]) -> None:
        self.rows += rows


def trained(
    folder: Path, task: str, *overrides: str, prepare: Callable[[pl.Trainer, Any], None] = lambda *_: None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, torch.Tensor], pl.Trainer]:
    """Samples, rows of metrics and the last weights of a short training."""
    config = config_of(task, *SHORT, *overrides)
    said: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    choices = choose(config)
    experiment = assemble(config, choices)
    stop = StopRequest()
    stop.listen = lambda: None  # type: ignore[method-assign]
    trainer, _ = assemble_trainer(
        config, choices, folder, rows.append, experiment.data.monitor, stop, write_samples=said.extend
    )
    prepare(trainer, experiment)
    seed_everything(config["seed"])
    trainer.fit(experiment.task, datamodule=experiment.data)
    return said, rows, experiment.task.state_dict(), trainer


@pytest.mark.parametrize("task", [*TASKS, "padded"])
def test_the_same_questions_at_each_validation_and_a_training_that_is_unmoved(task: str, tmp_path: Path) -> None:
    own = ("data.packing=false",) if task == "padded" else ()
    task = "masked_lm" if task == "padded" else task
    said, rows, weights, trainer = trained(tmp_path / "asked", task, *own)
    assert getattr(trainer.datamodule, "packing", False) == (task == "masked_lm" and not own)  # type: ignore[attr-defined]
    none, bare, plain, _ = trained(tmp_path / "bare", task, *own, "callbacks.samples=null")
    assert none == []
    assert [(row["step"], row["epoch"], row["number"]) for row in said] == [
        (step, 0, number) for step in (2, 4) for number in range(4)
    ]
    first, second = said[:4], said[4:]
    assert [row["shown"] for row in first] == [row["shown"] for row in second]
    assert all(row["shown"] and row["right"] for row in said)
    assert all((row["probability"] is None) == (task == "causal_lm") for row in said)
    assert learned(rows) == learned(bare)
    assert all(torch.equal(weight, plain[name]) for name, weight in weights.items())


def learned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what depends on the time."""
    timed = ("per_second", "mfu", "data_wait")
    return [{name: value for name, value in row.items() if not name.endswith(timed)} for row in rows]


def test_asking_draws_no_random_number_and_leaves_every_mode(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Around(pl.Callback):
        def state(self, module: pl.LightningModule) -> Any:
            return torch.get_rng_state().tolist(), [part.training for part in module.modules()]

    class Before(Around):
        def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            pl_module.model.base_model.train()  # a part that is in another mode than the rest
            seen.append(self.state(pl_module))

    class After(Around):
        def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            assert seen.pop() == self.state(pl_module)
            seen.append("checked")

    def prepare(trainer: pl.Trainer, experiment: Any) -> None:
        model, forward = experiment.task.model, experiment.task.model.forward

        def restless(*given: Any, **named: Any) -> Any:
            torch.rand(3)
            return forward(*given, **named)

        callbacks: Any = trainer.callbacks  # type: ignore[attr-defined]
        place = next(number for number, one in enumerate(callbacks) if isinstance(one, Samples))
        callbacks[place : place + 1] = [Before(), callbacks[place], After()]
        model.forward = restless

    said, *_ = trained(tmp_path, "classification", prepare=prepare)
    assert len(said) == 8
    assert seen == ["checked"] * 2


def test_loggers_that_take_samples_get_the_rows(tmp_path: Path) -> None:
    listening = Listening()

    def prepare(trainer: pl.Trainer, experiment: Any) -> None:
        from pytorch_lightning.loggers import CSVLogger

        logger = CSVLogger(tmp_path)
        logger.log_samples = listening.log_samples  # type: ignore[attr-defined]
        trainer.loggers = [logger, CSVLogger(tmp_path / "other")]

    said, *_ = trained(tmp_path, "classification", "callbacks.samples.count=2", prepare=prepare)
    assert len(said) == 4
    assert listening.rows == said


def test_a_causal_model_goes_on_for_no_more_than_it_is_told(tmp_path: Path) -> None:
    said, *_ = trained(tmp_path, "causal_lm", "callbacks.samples.new_tokens=1", "callbacks.samples.count=1")
    assert len(said) == 2
    assert all(len(row["said"].split()) <= 1 for row in said)


@pytest.mark.parametrize(
    ("override", "steps"), [("trainer.limit_val_batches=0", set()), ("trainer.num_sanity_val_steps=2", {2, 4})]
)
def test_nothing_is_asked_without_a_validation_nor_in_the_sanity_check(
    override: str, steps: set[int], tmp_path: Path
) -> None:
    said, *_ = trained(tmp_path, "classification", override)
    assert {row["step"] for row in said} == steps


def test_a_model_that_cannot_be_asked_ends_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def prepare(trainer: pl.Trainer, experiment: Any) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise RuntimeError("out of\nmemory")

        experiment.task.model.generate = refuse

    with caplog.at_level("WARNING", logger="quatrain.run"):
        said, rows, *_ = trained(tmp_path, "causal_lm", prepare=prepare)
    assert said == []
    assert max(row["step"] for row in rows) == 4
    assert [record.getMessage() for record in caplog.records].count(
        "No samples are taken: RuntimeError: out of memory"
    ) == 1
