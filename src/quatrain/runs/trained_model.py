"""The model of a finished run, made again from its directory: config.yaml, a checkpoint, and what its export tells.

Tensors and plain values are read (``weights_only``), nothing in the directory is ever run, and the hub is not asked.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.build import build
from quatrain.core.errors import UserError
from quatrain.models.recipe import LanguageModel
from quatrain.runs.changes import changed, read_changes
from quatrain.runs.chosen_checkpoint import Which, choose_checkpoint
from quatrain.runs.directory import RunDirectory
from quatrain.tokenizers.tokenizer import Tokenizer

PREFIX = "model."
"""How the names of the model's parameters begin in a task's state."""

GROUPS = ("data", "tokenizer", "model", "trainer")


@dataclass(frozen=True)
class TrainedModel:
    """``model``: on the CPU, in float32 and evaluation mode, with its adapters if ``recipe`` has some.

    ``config``: what was trained, changes included. ``step``: the optimizer step of the weights; None where nobody
    noted it. ``is_best``: whether they are those that the run took as its best.
    """

    model: Any
    tokenizer: Tokenizer
    recipe: Any
    config: dict[str, Any]
    step: int | None
    is_best: bool


def trained_model(run: RunDirectory, which: Which, tell: Callable[[str], None]) -> TrainedModel:
    """Make the model of ``run`` again, with the weights of its best or last checkpoint.

    The architecture and the tokenizer are those of its ``export/``; where that is gone they are made again from the
    data, as they were for the training. Where the checkpoints are gone the weights are those of ``export/``, and
    ``tell`` gets a sentence.

    Raises:
        UserError: the checkpoint is damaged or does not fit, the config cannot be used, or nothing is left to take.
        NotNow: the hub is needed, for the data, and does not answer.
    """
    config = _config(run)
    chosen = choose_checkpoint(run, which)
    recipe = _built(config, run)
    has_export = (run.export / "config.json").is_file()
    is_ours = isinstance(recipe, LanguageModel)  # a recipe of the user's own knows of no ready config
    if chosen.saved is None:
        if not has_export:
            raise UserError(f"{run.path} has neither checkpoints nor an export any more; there is nothing to hand on.")
        tell(f"{run.checkpoints} holds no checkpoint; the weights are those of {run.export}.")
        model, tokenizer = _exported(run, recipe), _tokenizer(run)
    else:
        if has_export and is_ours:
            with _read_from(run.export):
                model, tokenizer = _empty(run, recipe), _tokenizer(run)
        else:
            if not has_export:
                tell(f"{run.export} is gone; the tokenizer is made again from the data.")
            model, tokenizer = _assembled(config)
        _load(model, chosen.saved.path)
    return TrainedModel(model.eval(), tokenizer, recipe, config, chosen.step, which == "best")


def _config(run: RunDirectory) -> dict[str, Any]:
    config = run.read_config()
    if lacking := [name for name in GROUPS if not isinstance(config.get(name), dict)]:
        raise UserError(f"{run.config} has no group {', '.join(lacking)}; it was not written by quatrain.")
    return changed(config, read_changes(run))


def _built(config: Mapping[str, Any], run: RunDirectory) -> Any:
    try:
        recipe = build(config["model"], "model")
    except (TypeError, AttributeError) as error:  # an argument that the class has not, a group that is no mapping
        raise UserError(f"{run.config}: model cannot be built ({error}); it was not written by quatrain.") from error
    if getattr(recipe, "lora", None) is not None:
        from quatrain.models.checks import check_peft

        if wrong := check_peft():
            raise UserError(wrong)
    return recipe


def _empty(run: RunDirectory, recipe: Any) -> Any:
    """The architecture of the run's export, with the recipe's adapters; its weights are still to come."""
    import torch

    from quatrain.models.limits import check_allocation
    from quatrain.models.loading import load_config

    config, place = load_config(str(run.export), None), run.export / "config.json"
    try:
        with torch.device("meta"):
            check_allocation(recipe.from_config(copy.deepcopy(config)), str(place))
        model = recipe.from_config(config)
    except (TypeError, RuntimeError, OverflowError) as error:  # sizes that no tensor has
        what = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(f"{place} asks for a model that cannot be built ({what}).") from error
    recipe.restrict(model, [])
    return model


@contextmanager
def _read_from(export: Path) -> Iterator[None]:
    """What is wrong with the run's own export is told without the keys by which an experiment would name it."""
    try:
        yield
    except UserError as error:
        told = [re.sub(r"\b(model\.weights|tokenizer\.source)(=|: )", "", sentence) for sentence in error.sentences]
        raise UserError([*told, f"Delete {export} to have config and tokenizer made again from the data."]) from error


def _exported(run: RunDirectory, recipe: Any) -> Any:
    """The model of the run's export, whose adapters are merged."""
    from quatrain.models.auto import model_class
    from quatrain.models.loading import load_config, load_weights

    found = model_class(recipe.task, getattr(recipe, "auto_class", None))
    model, missing = load_weights(found, str(run.export), None, load_config(str(run.export), None), None)
    if missing:
        raise UserError(f"{run.export} has no weights for {len(missing)} parameters (such as {missing[0]}).")
    return model


def _tokenizer(run: RunDirectory) -> Tokenizer:
    from quatrain.tokenizers.pretrained import Pretrained

    return Pretrained(source=str(run.export)).fit()


def _assembled(config: Mapping[str, Any]) -> tuple[Any, Tokenizer]:
    """Model and tokenizer as they were at the start of the training, whose data is prepared again."""
    from quatrain.training.experiment import assemble, choose

    here = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto", "precision": "32-true"}
    plainly = {**config, "trainer": {**config["trainer"], **here}}
    try:
        experiment = assemble(plainly, choose(plainly))
    except (KeyError, TypeError, AttributeError) as error:  # a group or an argument that is not there
        raise UserError(f"config.yaml cannot be built ({error}); it was not written by quatrain.") from error
    return experiment.task.model, experiment.data.tokenizer


def _load(model: Any, checkpoint: Path) -> None:
    from quatrain.training.checkpoint_files import read

    content = read(checkpoint, mapped=True)
    try:
        state: dict[str, Any] = content["state_dict"]
        model.load_state_dict(
            {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}
        )
    except Exception as error:  # whatever a file of another model makes of it
        what = " ".join(str(error).split())[:300].rstrip(".")
        raise UserError(
            f"{checkpoint} does not fit the model of this run ({type(error).__name__}: {what}); put back the checkpoint"
            " that belongs to it."
        ) from error
