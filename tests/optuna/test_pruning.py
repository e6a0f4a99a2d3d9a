"""A pruner really ends a training: earlier than it would have, as pruned, with its best so far; and only then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.sweeps.judge import Judge, may_be_pruned
from quatrain.sweeps.search import Search
from quatrain.training.checkpoints import Checkpoints
from quatrain.training.pruning import Pruning
from quatrain.training.trainer import build_trainer

TINY = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    "trainer.max_steps=4",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
    "trainer.val_check_interval=1",
    "model.config.n_embd=8",
    "model.config.n_layer=1",
    "model.config.n_head=1",
    "sweep=optuna",
    "sweep.trial=2",
)


class Slope(pl.LightningModule):
    """One weight; its validation losses are 5, 4, 3, ... by optimizer step."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Linear(1, 1)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self.weight(batch[0]).pow(2).mean()

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        self.log("val/loss", torch.tensor(5.0 - self.global_step))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fitted(folder: Path, judge: Callable[[int, float], bool], resume: Path | None = None, **trainer: Any) -> Pruning:
    """Train four steps with a validation after each."""
    pruning = Pruning(judge)
    arguments = {"accelerator": "cpu", "devices": 1, "max_epochs": 2, "val_check_interval": 1, "log_every_n_steps": 1}
    built = build_trainer(
        {**arguments, **trainer},
        callbacks=[pruning, Checkpoints(folder=str(folder))],
        loggers=[],
        folder=folder,
    )
    batches = DataLoader(TensorDataset(torch.arange(4.0).reshape(4, 1)), batch_size=2)
    built.fit(Slope(), batches, batches, ckpt_path=resume)
    return pruning


def test_training_ends_after_the_validation_at_which_the_judge_says_so(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []

    def judge(validation: int, score: float) -> bool:
        seen.append((validation, score))
        return validation == 2

    pruning = fitted(tmp_path, judge)
    assert seen == [(1, 4.0), (2, 3.0)]
    assert pruning.sentence is not None
    assert "after validation 2, at step 2: val/loss is 3" in pruning.sentence


def test_the_last_validation_ends_nothing(tmp_path: Path) -> None:
    for name in ("max_epochs", "max_steps"):
        length = {"max_epochs": 2, name: {"max_epochs": 2, "max_steps": 4}[name]}
        assert fitted(tmp_path / name, lambda validation, _: validation == 4, **length).sentence is None


def test_a_run_that_goes_on_counts_its_validations_on(tmp_path: Path) -> None:
    fitted(tmp_path, lambda *_: False, max_steps=2)
    seen: list[int] = []
    pruning = fitted(tmp_path, lambda validation, _: bool(seen.append(validation)), resume=tmp_path / "last.ckpt")
    assert seen == [3, 4]
    assert pruning.validations == 4


def test_one_that_was_killed_after_its_end_was_decided_stays_pruned(tmp_path: Path) -> None:
    first = fitted(tmp_path, lambda validation, _: validation == 2)
    again = fitted(tmp_path, lambda *_: pytest.fail("it is over"), resume=tmp_path / "last.ckpt")
    assert again.sentence == first.sentence is not None


@pytest.fixture
def study(make_search: Callable[..., Search], jobs: Any, tmp_path: Path) -> Search:
    """Two complete trials that were at 0.5 after each of ten validations, and a third under way."""
    search = make_search(pruner_startup=1)
    for _ in range(2):
        job = search.next()
        assert job is not None
        judge = Judge(search.folder, job.config, pytest.fail)
        assert not any(judge(validation, 0.5) for validation in range(1, 11))
        jobs.end(search, job)
    assert search.next() is not None
    return search


def config_of(search: Search) -> dict[str, Any]:
    """The config of the trial that is under way."""
    from quatrain.sweeps.space import overrides_of

    trial = search.trials.all()[2]
    given = overrides_of(search.space, trial.params)
    return search._compose([*given, *search.fixed, "sweep.trial=2"])


def test_a_score_behind_the_median_ends_the_trial_and_one_before_it_does_not(study: Search) -> None:
    judge = Judge(study.folder, config_of(study), pytest.fail)
    assert not judge(1, 0.4)
    assert not judge(2, 0.9)  # its best so far is what counts
    config = config_of(study)
    assert not Judge(study.folder, config, pytest.fail)(2, 0.1)  # reported before: the first report stands
    assert study.trials.all()[2].intermediate_values == {1: 0.4, 2: 0.9}


def test_without_a_usable_study_the_run_goes_on_and_says_so_once(study: Search) -> None:
    config = config_of(study)
    told: list[str] = []
    moved = Judge(study.folder / "elsewhere", config, told.append)
    assert not moved(1, 99.0)
    assert not moved(2, 99.0)
    assert len(told) == 1
    assert "goes on to its end" in told[0]
    stranger = Judge(study.folder, {**config, "name": "another"}, told.append)
    assert not stranger(1, 99.0)
    study.trials.prune(2)
    assert not Judge(study.folder, config, told.append)(1, 99.0)
    assert len(told) == 3
    (study.folder / "optuna.journal").write_bytes(b"{}\n{}\n")
    assert not Judge(study.folder, config, told.append)(1, 99.0)
    assert "cannot be used" in told[3]


def test_only_trials_of_a_search_with_a_pruner_are_judged() -> None:
    assert not may_be_pruned({"name": None})
    assert not may_be_pruned({"trials": 3, "trial": None, "pruner": "median"})
    assert not may_be_pruned({"trials": 3, "trial": 1, "pruner": "none"})
    assert may_be_pruned({"trials": 3, "trial": 1, "pruner": "median"})


def trained(folder: Path, *overrides: str) -> tuple[RunDirectory, int]:
    """Run the worker in this process on a trial of the study in ``folder``'s parent."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    run = RunDirectory.create(folder, compose([*TINY, *overrides]), [*TINY, *overrides])
    with run_log(run.log):
        return run, worker.guarded(run, StopRequest())


def test_a_pruned_run_ends_early_as_pruned_with_its_best_so_far(tmp_path: Path, capsys: Any) -> None:
    """The same run beside no study takes its four steps and is done."""
    from optuna.distributions import FloatDistribution

    from quatrain.compare.study_notes import IDENTITY
    from quatrain.config.compose import compose
    from quatrain.runs.naming import identity_hash
    from quatrain.sweeps.search_settings import search_settings
    from quatrain.sweeps.space import Parameter
    from quatrain.sweeps.study import Objective
    from quatrain.sweeps.trials import Trials

    how = ("sweep.pruner_startup=1", "sweep.pruner_warmup=1")
    config = compose([*TINY, *how])
    space = [Parameter("optimizer.lr", FloatDistribution(1e-5, 1e-2))]
    trials = Trials(tmp_path / "sweep", search_settings(config["sweep"]), space, {}, Objective("val/loss", "min"))
    for number in range(3):
        trials.ask()
        for validation in range(1, 5):
            if number < 2:
                optuna_trial = trials.all()[number]
                trials._study._storage.set_trial_intermediate_value(optuna_trial._trial_id, validation, 0.1)
        if number < 2:
            trials.complete(number, 0.1)
    trials.note(2, IDENTITY, identity_hash(config))

    run, code = trained(tmp_path / "sweep" / "pruned", *how)
    assert (code, run.status().status) == (0, "pruned")
    assert "Pruned after validation 2, at step 2" in str(run.status().why)
    result = run.read_result()
    assert result is not None
    assert result["best"]["monitor"] == "val/loss"
    assert result["best"]["val/loss"] == min(row["val/loss"] for row in run.read_metrics() if "val/loss" in row)
    assert max(row["step"] for row in run.read_metrics()) == 2
    assert not run.export.exists()
    assert list(trials.all()[2].intermediate_values) == [1, 2]

    whole, code = trained(tmp_path / "alone" / "whole", *how)
    assert (code, whole.status().status) == (0, "done")
    assert max(row["step"] for row in whole.read_metrics()) == 4
    assert capsys.readouterr().err.count("goes on to its end") == 1
    pruned, done = ([row["train/loss"] for row in one.read_metrics() if "train/loss" in row] for one in (run, whole))
    assert pruned == done[:2]

    from quatrain.commands.resume import resume

    with pytest.raises(UserError, match="is pruned; train it on with --max-epochs"):
        resume(str(run.path))
