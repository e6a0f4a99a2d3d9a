"""The parts of an experiment, built from a frozen config's plain values: choices, data, model, task, trainer."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.build import build, locate
from quatrain.core.errors import UserError
from quatrain.training.hardware import (
    Choice,
    choose_accelerator,
    choose_precision,
    choose_threads,
    choose_workers,
)

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from quatrain.training.metrics_log import MetricsLog
    from quatrain.training.preemption import StopRequest


@dataclass(frozen=True)
class Experiment:
    """What is trained, and on what. ``recipe`` made ``task.model``."""

    data: Any
    recipe: Any
    task: Any

    def parameters(self) -> tuple[int, int]:
        """How many weights the model has, and how many of them are trained; tied ones count once."""
        weights = list(self.task.model.parameters())
        return sum(one.numel() for one in weights), sum(one.numel() for one in weights if one.requires_grad)

    def describe(self) -> str:
        """One line on what is trained on how much."""
        whole, trained = self.parameters()
        summary = self.data.summary
        counts = [
            f"{count:,} {name.removeprefix('examples/')}"
            for name, count in summary.items()
            if name.startswith("examples/")
        ]
        part = "" if trained == whole else f" ({trained:,} trained)"
        return (
            f"{type(self.task.model).__name__}: {whole:,} parameters{part};"
            f" vocabulary {self.data.tokenizer.vocab_size:,}; examples: {', '.join(counts)}{self._plain()}"
        )

    def notes(self) -> list[str]:
        """What the data say of themselves before they are trained on."""
        told = getattr(self.data, "notes", None)  # a module of the user's own need not have it
        return list(told()) if callable(told) else []

    def _plain(self) -> str:
        """Why the logits are one whole table, where that was not asked for."""
        why = getattr(self.task, "plain_because", None)
        return f"; logits in one table, as {why}" if why else ""


def choose(config: Mapping[str, Any]) -> dict[str, Choice]:
    """Decide what the config leaves to the machine, each with its reason: accelerator, devices, precision, ...

    Raises:
        UserError: the machine lacks what was asked for.
    """
    from quatrain.training.trainer import ranks

    asked = config["trainer"]
    accelerator, devices = choose_accelerator(asked["accelerator"], asked["devices"], strategy=asked["strategy"])
    started = int(os.environ.get("WORLD_SIZE", "1"))
    wanted = ranks(devices.value, asked.get("num_nodes") or 1)
    if started > 1 and wanted != started:
        raise UserError(
            f"trainer.devices={devices.value} means {wanted:g} processes, and {started} were started; freeze it with"
            f" trainer.devices={started} trainer.strategy=ddp, or start {wanted:g}."
        )
    count = devices.value if isinstance(devices.value, int) and devices.value > 0 else 1
    return {
        "accelerator": accelerator,
        "devices": devices,
        "precision": choose_precision(asked["precision"], accelerator.value),
        "threads": choose_threads(count),
        "num_workers": choose_workers(config["data"].get("num_workers", 0), accelerator=accelerator.value, ranks=count),
    }


def assemble(
    config: Mapping[str, Any], choices: Mapping[str, Choice], *, schedule_steps: int | None = None
) -> Experiment:
    """Build data, tokenizer, model and task; prepare the data; nothing is trained.

    ``schedule_steps``: the optimizer steps that the schedule is made for; None: those that are trained.

    Raises:
        UserError: the input cannot be used, or the parts do not fit one another.
    """
    import torch

    from quatrain.data.contract import require_batch, require_facts, require_module
    from quatrain.models.contract import require_model, require_recipe
    from quatrain.models.layers import parameter_depths
    from quatrain.tasks import TASKS
    from quatrain.training.optimizers import make_optimizer
    from quatrain.training.seeding import seed_everything

    torch.set_num_threads(choices["threads"].value)
    recipe = build(config["model"], "model")
    require_recipe(recipe)
    require_module(locate(config["data"]["_target_"], "data._target_"), config["data"]["_target_"])
    data = build_data(config, choices, recipe)
    require_facts(data, recipe.task)
    require_batch(data, recipe.task)
    seed_everything(config["seed"])
    model = recipe.build(**sizes_for_model(recipe, data), **labels_for_model(recipe, data))
    require_model(model, recipe, vocab_size=data.tokenizer.vocab_size)
    apply_speed(model, config["speed"])

    optimizer_class = locate(config["optimizer"]["_target_"], "optimizer._target_")
    arguments = {name: value for name, value in config["optimizer"].items() if name != "_target_"}
    depths = parameter_depths(model) if recipe.layer_lr_decay != 1.0 else None

    def optimizer(module: Any) -> Any:
        return make_optimizer(module, optimizer_class, depths=depths, layer_lr_decay=recipe.layer_lr_decay, **arguments)

    optimizer(model)  # refuses wrong numbers now, not when training has begun; it allocates nothing
    task = TASKS[recipe.task](
        model,
        optimizer=optimizer,
        schedule=build(config["schedule"], "schedule"),
        label_smoothing=recipe.label_smoothing,
        schedule_steps=schedule_steps,
        **head_of_task(recipe.task, config["speed"]),
        **_from_data(recipe.task, data),
    )
    return Experiment(data, recipe, task)


def build_data(config: Mapping[str, Any], choices: Mapping[str, Choice], recipe: Any) -> Any:
    """Build the data module with its tokenizer, and prepare both: read, clean, split, fit, encode, or find it done.

    ``recipe``, the model's, tells whether token types are of use.

    Raises:
        UserError: the input cannot be used.
    """
    tokenizer = build(config["tokenizer"], "tokenizer")
    told: dict[str, Any] = {}
    if "num_workers" in config["data"]:
        told["num_workers"] = choices["num_workers"].value
    if config["trainer"].get("overfit_batches") and "shuffle" in config["data"]:
        told["shuffle"] = False  # the same batches again and again
    if config["data"].get("use_token_types", True) is None and not recipe.takes_token_types():
        told["use_token_types"] = False
    if config["data"].get("packing") == "auto":
        told["packing"] = recipe.takes_packed_rows()
    data = build(config["data"], "data", tokenizer=tokenizer, **told)
    data.prepare_data()
    data.setup("fit")
    return data


def sizes_for_model(recipe: Any, data: Any) -> dict[str, Any]:
    """What a model must know of its tokenizer and of the length of its texts."""
    tokenizer = data.tokenizer
    sizes = {
        "tokenizer_size": tokenizer.vocab_size,
        "special_ids": {"pad": tokenizer.pad_id, "bos": tokenizer.bos_id, "eos": tokenizer.eos_id},
        "max_length": data.max_length,
    }
    return {**sizes, "num_labels": data.num_labels} if recipe.task == "sequence_classification" else sizes


def labels_for_model(recipe: Any, data: Any) -> dict[str, Any]:
    """What the head of a classifier must know besides the number of labels."""
    if recipe.task != "sequence_classification":
        return {}
    return {"label_names": data.label_names, "regression": data.regression}


def _from_data(task: str, data: Any) -> dict[str, Any]:
    """The arguments of a task that its data tells."""
    if task == "sequence_classification":
        return {
            "num_labels": data.num_labels,
            "metrics": data.metrics,
            "regression": data.regression,
            "validation_names": [name.replace("validation", "val") for name in data.validation_names],
        }
    if task == "masked_lm":
        return {"packing": getattr(data, "packing", False)}  # a module of the user's own need not know of it
    if task == "causal_lm":
        held_out = {"val": "characters/validation", "test": "characters/test"}
        return {"characters": {name: data.summary[key] for name, key in held_out.items() if key in data.summary}}
    return {}


def head_of_task(task: str, speed: Mapping[str, Any]) -> dict[str, bool]:
    """How a task over tokens makes its logits; nothing for a classification."""
    if task == "sequence_classification":
        return {}
    return {"sparse_head": speed["sparse_head"] and task == "masked_lm", "chunked_loss": speed["chunked_loss"]}


def apply_speed(model: Any, speed: Mapping[str, Any]) -> None:
    """Turn on what changes the speed and not the result."""
    if speed["gradient_checkpointing"]:
        model.gradient_checkpointing_enable()
    if speed["compile"]:
        model.compile()  # in place: torch.compile() would write _orig_mod. into the checkpoint's keys


def assemble_trainer(
    config: Mapping[str, Any],
    choices: Mapping[str, Choice],
    folder: Path,
    write: Callable[[dict[str, Any]], None],
    monitor: tuple[str, str],
    stop: "StopRequest",
    before_saving: Callable[[], None] | None = None,
    pruning: "pl.Callback | None" = None,
    tell: Callable[[str], None] | None = None,
    write_samples: Callable[[Sequence[dict[str, Any]]], None] | None = None,
) -> tuple["pl.Trainer", "MetricsLog"]:
    """Build Lightning's Trainer with the callbacks and loggers of the config; files go below ``folder``.

    ``write`` takes each row of metrics on rank 0. ``monitor``, a metric and min or max, tells the best checkpoint where
    the config leaves it open. ``stop`` is what signals ask of the training; ``before_saving`` is called on rank 0
    before a checkpoint is named. ``pruning`` is the `quatrain.training.pruning.Pruning` of a search's trial. ``tell``
    hears of the device's peak and of ``speed.profile``; without it neither is measured. ``write_samples`` takes the
    rows of `quatrain.training.samples.Samples` on rank 0.

    Raises:
        UserError: Lightning or a callback refuses its arguments.
    """
    from quatrain.tracking.trackers import log_row
    from quatrain.training.batch_seeds import BatchSeeds
    from quatrain.training.guards import StopAtNonFinite
    from quatrain.training.metrics_log import MetricsLog
    from quatrain.training.profiler import Profile
    from quatrain.training.progress import Progress
    from quatrain.training.trainer import build_trainer

    loggers = [
        build(node, f"logger.{name}", save_dir=str(folder / "tracking")) for name, node in config["logger"].items()
    ]

    def write_all(row: dict[str, Any]) -> None:
        write(row)
        log_row(loggers, row)

    metrics = MetricsLog(write_all, tell=tell)
    callbacks = [
        BatchSeeds(config["seed"]),
        StopAtNonFinite(),
        metrics,
        Progress(metrics),
        *([pruning] if pruning else []),
        *([Profile(folder / "profile", tell)] if config["speed"]["profile"] and tell else []),
        *_callbacks(config, folder, monitor, {"stop": stop, "before_saving": before_saving}, write_samples),
    ]
    arguments = {name: value for name, value in config["trainer"].items() if name not in ("_target_", "auto_batch")}
    for name in ("accelerator", "devices", "precision"):
        arguments[name] = choices[name].value
    return build_trainer(arguments, callbacks=callbacks, loggers=loggers, folder=folder), metrics


def _callbacks(
    config: Mapping[str, Any], folder: Path, monitor: tuple[str, str], told: Mapping[str, Any], write_samples: Any
) -> list[Any]:
    from quatrain.training.checkpoints import Checkpoints
    from quatrain.training.samples import Samples

    built: list[Any] = []
    for name, node in config["callbacks"].items():
        if node is None:  # callbacks.NAME=null takes one away
            continue
        extra: dict[str, Any] = {"folder": str(folder / "checkpoints"), **told} if name == "checkpoints" else {}
        if name == "checkpoints" and node["monitor"] is None:
            extra |= {"monitor": monitor[0], "mode": monitor[1]}
        try:
            built.append(build(node, f"callbacks.{name}", **extra))
        except (TypeError, ValueError) as error:
            raise UserError(f"callbacks.{name} cannot be built: {' '.join(str(error).split())}.") from error
    for callback in built:
        if isinstance(callback, Samples):
            callback.write = write_samples
    if not any(isinstance(callback, Checkpoints) for callback in built):  # a signal stops this run too
        built.append(Checkpoints(folder=str(folder / "checkpoints"), monitor=None, keep=0, **told))
    return built
