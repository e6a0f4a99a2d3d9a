"""Numbers that have a range and words that have a list, as torch, Lightning and our own parts would refuse them later.

Told here because those parts are built only when torch has been imported and data been read. Keys of classes that are
not ours are judged only while the class is one of PyTorch's or Lightning's.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from quatrain.config.shape import written
from quatrain.config.spelling import nearest

LARGEST_SEED = 2**32 - 1

PRECISIONS = (
    *("auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true", "transformer-engine"),
    *("transformer-engine-float16", "32", "16", "64", "bf16"),
)
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps", "tpu")
STRATEGIES = (
    *("auto", "ddp", "ddp_find_unused_parameters_true", "ddp_find_unused_parameters_false", "fsdp", "fsdp_cpu_offload"),
    *("deepspeed", "deepspeed_stage_1", "deepspeed_stage_2", "deepspeed_stage_2_offload", "deepspeed_stage_3"),
    *("deepspeed_stage_3_offload", "deepspeed_stage_3_offload_nvme", "single_device", "xla", "single_xla"),
    *("single_tpu", "xla_debug"),
)
"""Lightning's words without those that fork or spawn: ranks are started as workers of their own."""

WORDS = {
    "trainer.precision": PRECISIONS,
    "trainer.accelerator": ACCELERATORS,
    "trainer.strategy": STRATEGIES,
    "trainer.gradient_clip_algorithm": ("norm", "value"),
    "trainer.profiler": ("simple", "advanced", "pytorch", "xla"),
    "speed.num_workers": ("auto", "a whole number"),
    "speed.tokenizer_engine": ("auto", "tokenizers"),
    "speed.packing": ("auto", "true", "false"),
}


class Range(NamedTuple):
    """What a number may be; ``below`` is excluded, the others are included."""

    least: float
    most: float | None = None
    below: float | None = None
    what: str = ""

    def in_words(self) -> str:
        """What fits, as a sentence has it."""
        if self.below is not None:
            return f"{self.least:g} to below {self.below:g}"
        return f"{self.least:g} or more" if self.most is None else f"{self.least:g} to {int(self.most)}"


NUMBERS = {
    "seed": Range(0, LARGEST_SEED),
    "sweep.jobs": Range(1),
    "sweep.retries": Range(0),
    "preprocess.shards": Range(1, 10_000),
    "preprocess.shard": Range(0),
    "optimizer.lr": Range(0),
    "optimizer.weight_decay": Range(0),
    "optimizer.momentum": Range(0),
    "optimizer.eps": Range(0),
    "optimizer.betas": Range(0, below=1, what="each "),
    "schedule.final_share": Range(0, 1),
    "tokenizer.min_frequency": Range(1),
    "trainer.num_nodes": Range(1),
    "trainer.gradient_clip_val": Range(0),
    "trainer.accumulate_grad_batches": Range(1),
    "trainer.log_every_n_steps": Range(0),
    "trainer.num_sanity_val_steps": Range(-1),
    "trainer.min_epochs": Range(0),
    "trainer.min_steps": Range(-1),
    "trainer.check_val_every_n_epoch": Range(1),
    "trainer.reload_dataloaders_every_n_epochs": Range(0),
    **{f"trainer.limit_{part}_batches": Range(0) for part in ("train", "val", "test", "predict")},
    "trainer.overfit_batches": Range(0),
    "trainer.fast_dev_run": Range(0),
    "trainer.val_check_interval": Range(0),
}
THEIRS = {
    "optimizer": "torch.optim.",
    "trainer": "pytorch_lightning.",
    "schedule": "quatrain.",
    "tokenizer": "quatrain.",
}


def check_ranges(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each number out of its range and each word that is none; of the groups that are there."""
    for key, allowed in WORDS.items():
        value = _value(config, key)
        if isinstance(value, str) and value not in allowed:
            yield f"{key}={value} is unknown; allowed is {', '.join(allowed)}{nearest(value, allowed) or '.'}"
    precision = _value(config, "trainer.precision")
    if isinstance(precision, int | float) and precision not in (64, 32, 16):
        yield f"trainer.precision={precision} is unknown; allowed is {', '.join(PRECISIONS)}."
    for key, allowed_range in NUMBERS.items():
        value = _value(config, key)
        for number in value if isinstance(value, list) else [value]:
            if _is_number(number) and (wanted := _out_of(allowed_range, number)):
                yield f"{key}={written(value)} does not fit; allowed is {allowed_range.what}{wanted}."
                break
    yield from _shard(_value(config, "preprocess.shard"), _value(config, "preprocess.shards"))
    yield from _warmup(_value(config, "schedule.warmup"))
    yield from _devices(_value(config, "trainer.devices"))
    time = _value(config, "trainer.max_time")
    if isinstance(time, str) and not re.fullmatch(r"\d+(:\d\d){3}", time):
        yield f"trainer.max_time={time} does not fit; allowed is DD:HH:MM:SS, days to seconds, such as 00:12:00:00."
    for name in ("limit_train_batches", "limit_val_batches", "limit_test_batches", "overfit_batches"):
        value = _value(config, f"trainer.{name}")
        if isinstance(value, float) and value > 1:
            yield f"trainer.{name}={value} is more than all; a share is 0.0 to 1.0, a whole number counts batches."


def _value(config: dict[str, Any], key: str) -> Any:
    group, _, name = key.partition(".")
    if not name or group not in config:
        return config.get(group)
    theirs = str(config[group].get("_target_", "")).startswith(THEIRS.get(group, ""))
    return config[group].get(name) if theirs else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _out_of(allowed: Range, number: float) -> str | None:
    """What would fit, where ``number`` does not."""
    inside = number >= allowed.least and (allowed.most is None or number <= allowed.most)
    if inside and (allowed.below is None or number < allowed.below):
        return None
    return allowed.in_words()


def _shard(shard: Any, shards: Any) -> Iterator[str]:
    if not (_is_number(shard) and _is_number(shards)) or shard < shards or shards < 1:
        return
    if shards == 1:
        yield f"preprocess.shard={shard} does not fit: preprocess.shards=1 has shard 0 alone; give preprocess.shards=N."
    else:
        yield f"preprocess.shard={shard} does not fit; preprocess.shards={shards} allows 0 to {shards - 1}."


def _warmup(value: Any) -> Iterator[str]:
    if _is_number(value) and (value < 0 or (isinstance(value, float) and value > 1)):
        yield (
            f"schedule.warmup={value} does not fit; a whole number counts steps from 0 on, a number with a point is the"
            " share of all steps from 0.0 to 1.0."
        )


def _devices(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        fits = bool(value) and all(type(place) is int and place >= 0 for place in value)
        fits = fits and len(set(value)) == len(value)
    elif isinstance(value, str):
        fits = value in ("auto", "-1") or bool(re.fullmatch(r"[1-9]\d*|\d+(\s*,\s*\d+)+|\d+,", value))
    else:
        fits = not _is_number(value) or value == -1 or value >= 1
    if not fits:
        yield (
            f"trainer.devices={written(value)} does not fit; allowed is a number of 1 or more, auto, -1 for all, or a"
            " list of different devices such as [0,1]."
        )
