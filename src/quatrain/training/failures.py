"""What went wrong in the midst of a training, in words that say what to change."""

import math
import re
from collections.abc import Mapping
from typing import Any

OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|std::bad_alloc|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE
)
LOADER_WORKER = re.compile(r"DataLoader worker \(pid\(?s?\)? ?([\d, ]+)\) (.*)", re.DOTALL)

IN_BATCHES = (
    "trainer.val_check_interval",
    "trainer.limit_train_batches",
    "trainer.limit_val_batches",
    "trainer.overfit_batches",
)
"""Settings of which a whole number counts micro-batches."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory did not suffice, on a GPU or on the machine."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and bool(OUT_OF_MEMORY.search(str(error)))


def counted_batches(trainer: Any) -> dict[str, int]:
    """Settings that are shares, as the numbers of micro-batches that Lightning has made of them; empty before that."""
    counted = {
        "trainer.limit_train_batches": trainer.num_training_batches,
        "trainer.val_check_interval": trainer.val_check_batch,
    }
    validation = trainer.num_val_batches
    if isinstance(validation, list) and len(validation) == 1:
        counted["trainer.limit_val_batches"] = validation[0]
    return {key: int(number) for key, number in counted.items() if number and math.isfinite(number)}


def smaller_batches(config: Mapping[str, Any], counted: Mapping[str, int]) -> dict[str, int] | None:
    """The settings of the next smaller micro-batch with the same effective batch; None where there is none.

    The batch is divided by its smallest prime factor, two where it can be, and as much more is accumulated: every
    optimizer step sees the same examples. ``counted`` has the numbers of micro-batches (`counted_batches`) in place of
    shares, which smaller ones would round in another way; an incomplete batch that was dropped stays so too.
    """
    if "batch_size" not in config["data"]:  # a data module of the user's own
        return None
    size = config["data"]["batch_size"]
    times = next((factor for factor in range(2, size + 1) if size % factor == 0), None)
    if times is None:
        return None
    trainer = config["trainer"]
    new = {
        "data.batch_size": size // times,
        "trainer.accumulate_grad_batches": trainer["accumulate_grad_batches"] * times,
    }
    for key in IN_BATCHES:
        value = trainer[key.partition(".")[2]]
        drops = key == "trainer.limit_train_batches" and config["data"].get("drop_last")
        if drops or (isinstance(value, float) and value not in (0.0, 1.0)):
            value = counted.get(key)
            if value is None:
                return None
        if isinstance(value, int) and not isinstance(value, bool) and value:
            new[key] = value * times
    return new


def out_of_memory(config: Mapping[str, Any], smaller: Mapping[str, int] | None, device: str) -> str:
    """The sentence for a training that did not fit: what to lower, and to how much (``smaller``)."""
    if smaller is None:
        fix = "lower data.max_length, choose a smaller model, or set speed.gradient_checkpointing=true"
    else:
        settings = " ".join(f"{key}={value}" for key, value in smaller.items() if key not in IN_BATCHES)
        fix = (
            f"the same effective batch takes less with {settings}, which trainer.auto_batch=true does by itself; or set"
            " speed.gradient_checkpointing=true"
        )
    size = f" with data.batch_size={config['data']['batch_size']}" if "batch_size" in config["data"] else ""
    return f"The memory of the {device} did not suffice{size}; {fix}."


def lost_loader_worker(error: BaseException) -> str | None:
    """The sentence for a loader process that died; None for any other error."""
    found = LOADER_WORKER.search(str(error))
    if not isinstance(error, RuntimeError) or found is None:
        return None
    how = " ".join(found[2].split()).partition(".")[0]
    return (
        f"The loader process {found[1].strip()}, one of data.num_workers, {how}; if nobody ended it, memory ran out:"
        " set data.num_workers=0, or fewer of them."
    )
