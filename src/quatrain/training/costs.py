"""The bill of a training, in bytes of memory, bytes on disk and seconds, from what was counted and measured."""

from collections.abc import Mapping
from typing import Any

from quatrain.training.epoch_batches import Shapes
from quatrain.training.length import Length
from quatrain.training.memory import StepMemory
from quatrain.training.probe import Times

Plan = dict[str, str | int | float]

HEAP, HEAP_VARIED = 2**28, 2**30
"""glibc keeps freed blocks below 32 MiB in its heap, and fits batches of many sizes in badly: what it wastes was
measured as 0.2 to 1.5 times what a step holds. Taken as once, up to this for batches of one size and of many."""

ROW_BYTES = 150
"""Of metrics.csv and run.log for each reported step, about."""

REPORT_BYTES = 5_000_000
"""Of report.html, about: the library that draws it is in it."""


def memory(
    size: Any,
    step: StepMemory,
    *,
    own: int | None,
    peak: int | None,
    ranks: int,
    reloads: bool,
    varied: bool,
) -> Plan:
    """Bytes of one rank at its fullest moment, part by part, and of all ranks.

    ``process`` is the interpreter with its libraries, and what kernels and the allocator need beside the tensors.
    ``training`` is the fullest moment of a step; ``ending`` that after the last one, when the best checkpoint is loaded
    (where ``reloads``) or the export is loaded again to be proved; ``peak`` the larger.

    Args:
        size: of the model.
        step: of the largest batch.
        own: what this process holds without the model; None on a GPU, whose own needs are not counted.
        peak: the most that it held in a probe; None without a probe.
        ranks: processes that train.
        reloads: whether the best checkpoint may be another than the last.
        varied: whether batches are of many sizes.
    """
    lasting = size.weights_bytes + size.optimizer_bytes
    buckets = size.gradient_bytes if ranks > 1 else 0  # those that DDP sends from outlive the step
    tensors = lasting + buckets + step.peak
    process = 0
    if own is not None:
        wasted = min(step.peak, HEAP_VARIED if varied else HEAP)
        process = own + wasted if peak is None else max(own, peak - tensors)
    loaded = lasting if reloads else 0
    ending = process + size.bytes + max(loaded, 2 * size.weights_bytes)
    whole = max(process + tensors, ending)
    return {
        "memory/process": process,
        "memory/weights": size.weights_bytes,
        "memory/gradients": size.gradient_bytes + buckets,
        "memory/optimizer": size.optimizer_bytes,
        "memory/activations": max(0, step.peak - step.logits - size.gradient_bytes),
        "memory/logits": step.logits,
        "memory/training": process + tensors,
        "memory/ending": ending,
        "memory/peak": whole,
        "memory/all ranks": whole * ranks,
    }


def disk(config: Mapping[str, Any], size: Any, length: Length) -> Plan:
    """Bytes of checkpoints (the kept ones and the best), of the export, of the report and of the logs."""
    checkpoints = _kept(config["callbacks"], length) * (size.weights_bytes + size.optimizer_bytes)
    rows = length.steps // max(1, config["trainer"]["log_every_n_steps"] or 1) + length.validations
    found = {
        "checkpoints": checkpoints,
        "export": size.weights_bytes,
        "report": REPORT_BYTES if config["run"]["report"] else 0,
        "logs": rows * ROW_BYTES,
    }
    return {**{f"disk/{name}": value for name, value in found.items()}, "disk/in all": sum(found.values())}


def seconds(times: Times, length: Length, training: Shapes, held_out: list[Shapes], ready: float) -> Plan:
    """Seconds of the start, of the training alone, of all validations, and together."""
    batches = sum(len(shapes.sample) for shapes in held_out)
    places = sum(shapes.mean_positions * len(shapes.sample) for shapes in held_out) / max(1, batches)
    found = {
        "start": ready + times.start,
        "training": times.training(length.batches, length.steps, training.mean_positions),
        "validation": length.validations * times.validation(length.validation_batches, places),
    }
    return {
        **{f"seconds/{name}": value for name, value in found.items()},
        "seconds/in all": sum(found.values()),
        "batches timed": times.timed,
    }


def _kept(callbacks: Mapping[str, Any], length: Length) -> int:
    """How many whole checkpoints a run keeps: the last few, of those that come to be, and the best."""
    node = callbacks.get("checkpoints")
    return 0 if node is None else node["keep"] + bool(length.validations)
