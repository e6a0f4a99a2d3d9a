"""``quatrain train -m sweep=optuna``: all mistakes before anything is written, then trials until there are enough."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.config.command_line import read
from quatrain.config.compose import hydra_at
from quatrain.config.folder import conf_folder
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory

pytestmark = pytest.mark.slow

SHIPPED = sorted(path.stem for path in (conf_folder() / "sweep").glob("optuna*.yaml"))
TINY = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    "trainer.max_steps=3",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
    "trainer.val_check_interval=1",
    "model.config.n_embd=8",
    "model.config.n_layer=1",
    "model.config.n_head=1",
)


def refused(command: str, *words: str) -> list[str]:
    with pytest.raises(UserError) as raised:
        read(command, list(words))
    return raised.value.sentences


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep.trial=3"], "sweep.trial=3 is set by the search"),
        (["sweep.smapler=tpe"], "did you mean sweep.sampler?"),
        (["sweep.sampler=cmaes"], "two or more intervals"),
        (["sweep.sampler=grid"], "optimizer.lr has no list of values"),
        (["optimizer.lr=1e-3"], "There is nothing to search"),
        (["optimizer.lr=interval(-1,1)"], "optimizer.lr=-1.0 does not fit"),
        (["optimizer.rl=interval(0,1)"], "there is no key optimizer.rl"),
        (["schedule=linear,cosin"], "schedule=cosin: there is no such schedule"),
        (["schedule=interval(0,1)"], "has options and no numbers"),
        (["run.dir=here"], "run.dir=here"),
        (["callbacks.checkpoints=null"], "keeps no best checkpoint"),
        (
            ["experiment=quick_windows,quick_mrpc"],
            "cannot be compared (max of the data's own score and min of val/loss)",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(words: list[str], says: str, tmp_path: Path) -> None:
    sentences = refused("train", "-m", "sweep=optuna", *words)
    assert any(says in sentence for sentence in sentences), sentences
    assert list(tmp_path.iterdir()) == []


def test_every_wrong_setting_is_told_at_once_with_what_is_allowed() -> None:
    wrong = ("sampler=tpee", "pruner=median_", "storage=redis", "trials=0", "reduction=1", "seed=-1")
    told = refused("train", "-m", "sweep=optuna", *(f"sweep.{setting}" for setting in wrong), "optimizer.lr=1,2")
    assert told == [
        "sweep.sampler='tpee' is unknown; allowed is tpe, random, grid, cmaes; did you mean tpe?",
        "sweep.pruner='median_' is unknown; allowed is median, hyperband, none; did you mean median?",
        "sweep.storage='redis' is unknown; allowed is journal, sqlite.",
        "sweep.trials=0 does not fit; allowed is a whole number, 1 or more.",
        "sweep.reduction=1 does not fit; allowed is a whole number, 2 or more.",
        "sweep.seed=-1 does not fit; allowed is a whole number, 0 to 4294967295.",
    ]


def test_mistakes_at_the_bounds_of_several_parameters_come_at_once() -> None:
    told = refused("train", "-m", "sweep=optuna", "data.batch_size=range(0,9,4)", "trainer.max_epochs=0,1")
    assert [sentence.split(" ")[0].split("=")[0] for sentence in told] == ["data.batch_size", "trainer.max_epochs"]


def test_searching_belongs_to_a_search_and_to_a_multirun() -> None:
    assert "or search it with sweep=optuna" in refused("train", "-m", "optimizer.lr=interval(0,1)")[0]
    assert "choose one with sweep=optuna" in refused("train", "-m", "sweep.trials=3", "seed=1,2")[0]
    assert "add --multirun (-m)" in refused("train", "sweep=optuna")[0]
    assert refused("train", "sweep=lr_seeds") == [
        "sweep=lr_seeds is of many runs; add --multirun (-m): quatrain train -m sweep=lr_seeds"
    ]
    assert "give that instead" in refused("train", "-m", "hydra/sweeper=quatrain_optuna", "seed=1,2")[0]
    assert refused("plan", "-m", "sweep=optuna") == [
        "sweep=optuna chooses its jobs by what came before; leave it out and list the values."
    ]


def test_without_optuna_one_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    hidden = {"optuna", "cmaes"}
    monkeypatch.setattr(
        "quatrain.config.search_checks.find_spec", lambda name: None if name in hidden else find_spec(name)
    )
    wanted = "A search needs {}, which is not installed; run pip install 'quatrain[optuna]'."
    assert refused("train", "-m", "sweep=optuna") == [wanted.format("optuna")]
    hidden.remove("optuna")
    both = ("optimizer.weight_decay=interval(0,1)", "sweep.sampler=cmaes")
    assert refused("train", "-m", "sweep=optuna", *both) == [wanted.format("cmaes")]


@pytest.mark.parametrize("option", SHIPPED)
def test_every_shipped_search_composes_at_all_its_bounds(option: str) -> None:
    from quatrain.config.choices import Choices
    from quatrain.config.compose import hydra_composed
    from quatrain.config.search_checks import check_sampler
    from quatrain.config.search_space import split
    from quatrain.config.searching import check_corners
    from quatrain.config.sweeping import parsed
    from quatrain.sweeps.search_settings import search_settings

    with hydra_at(conf_folder()):
        from hydra.core.global_hydra import GlobalHydra

        chosen = [f"sweep={option}", "hydra/sweeper=quatrain_optuna"]
        params = hydra_composed(chosen, return_hydra_config=True).hydra.sweeper.params
        space, fixed = split(parsed(params, chosen[:1], GlobalHydra.instance().config_loader()), Choices([]))
        base, objective = check_corners(space, fixed)
    assert space
    assert objective.monitor == "val/loss"
    assert list(check_sampler(search_settings(base["sweep"]), space)) == []


@pytest.mark.parametrize(
    ("overrides", "objective"),
    [
        (["experiment=quick_windows"], ("val/loss", "min")),
        (["experiment=quick_mrpc", "data.glue_task=mrpc"], ("val/f1", "max")),
        (["experiment=quick_mrpc"], (None, "max")),  # its labels tell, when they are read
        (["callbacks.checkpoints.monitor=val/accuracy", "callbacks.checkpoints.mode=max"], ("val/accuracy", "max")),
    ],
)
def test_the_objective_is_what_the_best_checkpoint_is_chosen_by(overrides: list[str], objective: Any) -> None:
    from quatrain.config.compose import compose
    from quatrain.config.objective import objective_of

    found = objective_of(compose(overrides))
    assert (found.monitor, found.mode) == objective


def test_a_search_runs_prunes_says_what_is_best_and_is_over(tmp_path: Path) -> None:
    """Three learning rates far apart: the first is complete, the others end behind it."""
    words = ("train", "-m", *TINY, "sweep=optuna", "sweep.trials=3", "sweep.pruner_startup=1", "sweep.sampler=random")
    command = [sys.executable, "-m", "quatrain", *words]
    first = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "outputs" / "sweeps" / "quick_windows-optuna"
    runs = [RunDirectory(path.parent) for path in folder.glob("*/config.yaml")]
    statuses = [run.status().status for run in runs]
    assert len(runs) == 3
    assert statuses.count("pruned") >= 1
    best = yaml.safe_load((folder / "best.yaml").read_text(encoding="utf-8"))
    results = {run.path.name: run.read_result() for run in runs if run.status().status == "done"}
    scores = {name: result["best"]["val/loss"] for name, result in results.items() if result}
    assert best["folder"] == min(scores, key=lambda name: scores[name])
    assert best["value"] == min(scores.values())
    assert not any(text.startswith("sweep") for text in best["overrides"])
    assert "search: " in first.stderr
    again = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "of 3" in again.stderr
    assert len(list(folder.glob("*/config.yaml"))) == 3
