"""What to run on: each automatic choice comes with its reason, and what the user chose is handed on."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError


@dataclass(frozen=True)
class Choice:
    """A value and why it was chosen, to be printed and recorded."""

    value: Any
    reason: str


def choose_accelerator(
    accelerator: str = "auto", devices: int | str | list[int] = "auto", *, strategy: str = "auto"
) -> tuple[Choice, Choice]:
    """Return the accelerator and the devices to train on.

    ``auto`` takes a GPU where there is one. Several devices are taken only where they are asked for, by a number or by
    a strategy that spreads the training: more devices mean a larger effective batch, which changes the experiment.

    Raises:
        UserError: the accelerator is absent, or there are fewer devices than asked for.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if accelerator == "auto":
        if gpus:
            chosen = Choice("gpu", f"a GPU is here: {torch.cuda.get_device_name(0)}")
        elif torch.backends.mps.is_available():
            chosen = Choice("mps", "Apple's GPU is here")
        else:
            chosen = Choice("cpu", "no GPU is visible")
    else:
        chosen = Choice(accelerator, f"trainer.accelerator={accelerator}")
    if chosen.value in ("gpu", "cuda"):
        return chosen, _gpus(devices, gpus, strategy)
    if devices == "auto":
        return chosen, Choice(1, "one process; more by trainer=ddp_cpu trainer.devices=N")
    return chosen, Choice(devices, f"trainer.devices={devices}")


def choose_precision(precision: str | int | None = "auto", accelerator: str = "cpu") -> Choice:
    """Return Lightning's word for the number format; ``auto`` is bfloat16 where the hardware computes in it.

    bfloat16 has the range of float32, so it needs no loss scaling, and weights and optimizer state stay in float32.
    """
    if precision not in ("auto", None):
        return Choice(precision, f"trainer.precision={precision}")
    if accelerator in ("gpu", "cuda"):
        import torch

        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Choice("bf16-mixed", "the GPU computes in bfloat16")
        return Choice("32-true", "the GPU does not compute in bfloat16")
    if accelerator == "cpu":
        flags = cpu_flags() & {"avx512_bf16", "amx_bf16"}
        if flags:
            return Choice("bf16-mixed", f"the CPU computes in bfloat16 ({', '.join(sorted(flags))})")
        return Choice("32-true", "the CPU has no bfloat16 arithmetic (AVX512-BF16 or AMX)")
    return Choice("32-true", f"bfloat16 is untried on {accelerator}")


def choose_threads(ranks: int = 1, threads: int | str = "auto") -> Choice:
    """Return the threads for each of ``ranks`` processes on this machine.

    Processes that each take every core stand in each other's way (a step measured 2 to 37 times as long), so the cores
    are divided.
    """
    if threads != "auto":
        return Choice(int(threads), f"speed.threads={threads}")
    own = os.environ.get("OMP_NUM_THREADS", "")
    if own.isdecimal() and int(own) > 0:
        return Choice(int(own), f"OMP_NUM_THREADS={own}")
    cores = usable_cores()
    return Choice(max(1, cores // ranks), f"{cores} cores for {ranks} process{'es' if ranks > 1 else ''}")


def choose_workers(workers: int | str = "auto", *, accelerator: str = "cpu", ranks: int = 1) -> Choice:
    """Return the number of processes that each rank's loader reads with; 0 reads in the training process itself.

    On a CPU a loader process would take the cores that the model computes on; beside a GPU it works meanwhile.
    """
    if workers != "auto":
        return Choice(int(workers), f"speed.num_workers={workers}")
    if accelerator == "cpu":
        return Choice(0, "batches are made in the training process, which needs all cores itself")
    cores = usable_cores() // ranks
    return Choice(max(0, min(4, cores - 1)), f"{cores} cores beside each GPU")


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and a container's quota where there is one; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, quota) if quota else cores)


def cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The instruction sets of the first core, as Linux names them; none elsewhere, where they are not known."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def cpu_name(path: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as far as the system tells."""
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus(devices: int | str | list[int], present: int, strategy: str) -> Choice:
    if not present:
        raise UserError("trainer.accelerator=gpu: no GPU is visible on this machine; use trainer=cpu, or trainer=auto.")
    if devices == "auto":
        if strategy == "auto":
            return Choice(1, f"one of {present} GPUs; more by trainer=ddp trainer.devices=N")
        return Choice(present, f"all GPUs, for trainer.strategy={strategy}")
    asked = _count(devices)
    if asked is not None and asked > present:
        raise UserError(f"trainer.devices={devices} needs {asked} GPUs and this machine has {present}; ask for fewer.")
    return Choice(devices, f"trainer.devices={devices}")


def _count(devices: int | str | list[int]) -> int | None:
    """How many devices a word of Lightning's asks for at least; None for a word that is Lightning's to judge."""
    if isinstance(devices, list):
        return max((int(place) + 1 for place in devices), default=0)
    if isinstance(devices, str) and "," in devices:
        return max((int(place) + 1 for place in devices.split(",") if place.strip().isdecimal()), default=0)
    return int(devices) if str(devices).isdecimal() else None


def _quota(path: Path) -> int | None:
    """Whole cores of a control group's quota, rounded up; None where there is no limit."""
    try:
        quota, period = path.read_text().split()
    except (OSError, ValueError):
        return None
    return -(-int(quota) // int(period)) if quota != "max" else None
