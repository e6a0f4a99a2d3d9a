"""What a training would cost: its length by arithmetic, its memory from shapes, and both proved by a short probe."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.training.costs import Plan, disk, memory, seconds
from quatrain.training.epoch_batches import Shapes, look, look_at_all
from quatrain.training.hardware import Choice
from quatrain.training.length import Length, training_length
from quatrain.training.memory import StepMemory, forget_peak, optimizer_states, peak_resident, resident, step_memory


@dataclass(frozen=True)
class Parts:
    """What an estimate looks at; ``task`` is there only for a probe."""

    choices: dict[str, Choice]
    recipe: Any
    data: Any
    task: Any


def gather(config: Mapping[str, Any], *, probe: bool) -> Parts:
    """Prepare the data of a frozen config, and for a probe build the task; nothing is trained.

    Raises:
        UserError: as the run itself would refuse the input.
    """
    from quatrain.core.build import build
    from quatrain.data.module import LanguageData
    from quatrain.models.recipe import LanguageModel
    from quatrain.training.experiment import assemble, build_data, choose

    choices = choose(config)
    if probe:
        forget_peak()
        experiment = assemble(config, choices)
        parts = Parts(choices, experiment.recipe, experiment.data, experiment.task)
    else:
        recipe = build(config["model"], "model")
        parts = Parts(choices, recipe, build_data(config, choices, recipe), None)
    for group, part, kind in (("data", parts.data, LanguageData), ("model", parts.recipe, LanguageModel)):
        if not isinstance(part, kind):
            raise UserError(
                f"{group}._target_={config[group]['_target_']} is no {kind.__module__}.{kind.__name__}, whose"
                " batches and sizes are known without training, so it cannot be planned; derive it from that."
            )
    return parts


def estimate(
    config: Mapping[str, Any],
    parts: Parts,
    folder: Path,
    write: Callable[[dict[str, Any]], None],
    *,
    started: float,
) -> Plan:
    """Return every choice with its reason, and the sizes, lengths, bytes and seconds of the training of ``config``.

    Counts are plain numbers, sizes bytes, times seconds. With a task in ``parts`` some steps are trained in this
    process, which should be as fresh as a run's: its memory tells the peak. Without, there are no times and the peak
    is of shapes alone.

    Args:
        config: frozen.
        parts: of `gather`.
        folder: a temporary one.
        write: takes rows of metrics, as the run's would.
        started: when this process began, in seconds of the epoch.
    """
    from quatrain.core.build import build
    from quatrain.models import sizes
    from quatrain.training.experiment import assemble_trainer, sizes_for_model
    from quatrain.training.preemption import StopRequest
    from quatrain.training.probe import probe, probe_arguments
    from quatrain.training.trainer import ranks

    choices, recipe, data = parts.choices, parts.recipe, parts.data
    states = _states(config)
    size = sizes.measure(
        recipe, **sizes_for_model(recipe, data), optimizer_states=states, precision=choices["precision"].value
    )
    short = {**config, "callbacks": {}, "logger": {}, "trainer": probe_arguments(config["trainer"])}
    trainer, _ = assemble_trainer(short, choices, folder, write, data.monitor, StopRequest())
    ready = time.time() - started
    count = int(ranks(choices["devices"].value, config["trainer"]["num_nodes"]))
    training, held_out, length = _shapes(config, data, count)
    own = resident() - (size.weights_bytes if parts.task else 0)
    times = probe(parts.task, trainer, training, held_out) if parts.task else None
    peak = peak_resident() if times else None
    step = _step(config, parts, training)
    tokens = round(training.mean_tokens * length.batches * count)
    warmup = build(config["schedule"], "schedule").warmup_steps(length.steps)
    return {
        "experiment": config["name"],
        "task": recipe.task,
        **{name: f"{choice.value} ({choice.reason})" for name, choice in choices.items()},
        "attention": f"{size.attention} (model.attention={recipe.attention})",
        **data.summary,
        "vocabulary": data.tokenizer.vocab_size,
        "padding share": training.padding_share,
        "effective batch": length.effective_batch,
        "steps per epoch": length.steps_per_epoch,
        "optimizer steps": length.steps,
        "warm-up steps": warmup,
        "tokens in all": tokens,
        "parameters": size.parameters,
        "parameters trained": size.trained,
        "FLOPs per token": size.flops_per_token or "unknown",
        "FLOPs in all": size.flops_per_token * tokens if size.flops_per_token else "unknown",
        **memory(
            size,
            step,
            own=own if choices["accelerator"].value == "cpu" else None,
            peak=peak,
            ranks=count,
            reloads=length.validations > 1,
            varied=training.vary,
        ),
        **disk(config, size, length),
        **(seconds(times, length, training, held_out, ready) if times else {}),
    }


def _states(config: Mapping[str, Any]) -> float:
    from quatrain.core.build import locate
    from quatrain.models.sizes import ADAM_STATES

    arguments = {name: value for name, value in config["optimizer"].items() if name != "_target_"}
    states = optimizer_states(locate(config["optimizer"]["_target_"], "optimizer._target_"), arguments)
    return ADAM_STATES if states is None else states


def _shapes(config: Mapping[str, Any], data: Any, ranks: int) -> tuple[Shapes, list[Shapes], Length]:
    """The batches of training and of each validation set, and the length that follows."""
    batch_size = data.eval_batch_size or data.batch_size
    training, held_out = look(data.train_dataloader()), look_at_all(data.val_dataloader())
    length = training_length(
        config["trainer"],
        examples=data.summary["examples/train"],
        batch_size=data.batch_size,
        ranks=ranks,
        drop_last=data.drop_last,
        validation_batches=sum(math.ceil(math.ceil(len(shapes.rows) / ranks) / batch_size) for shapes in held_out),
    )
    return training, held_out if length.validations else [], length


def _step(config: Mapping[str, Any], parts: Parts, training: Shapes) -> StepMemory:
    """What a step on the largest batch holds."""
    from quatrain.models.sizes import without_weights
    from quatrain.tasks import TASKS
    from quatrain.training.experiment import head_of_task, sizes_for_model

    recipe, data = parts.recipe, parts.data
    options: dict[str, Any] = head_of_task(recipe.task, config["speed"])
    if recipe.task == "sequence_classification":
        options = {"regression": data.regression, "metrics": data.metrics}

    def task() -> Any:
        model = without_weights(recipe, **sizes_for_model(recipe, data))
        if config["speed"]["gradient_checkpointing"]:
            model.gradient_checkpointing_enable()
        return TASKS[recipe.task](model, label_smoothing=recipe.label_smoothing, **options)

    return step_memory(
        task,
        training.batch(training.largest),
        str(parts.choices["precision"].value),
        accumulates=config["trainer"]["accumulate_grad_batches"] > 1,
    )
