"""Dealing the cores and GPUs of a machine out to jobs that run side by side."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from quatrain.training.hardware import usable_cores

THREADS = "OMP_NUM_THREADS"
GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Share:
    """What one job gets: GPUs by the names of ``CUDA_VISIBLE_DEVICES``, and variables for its worker."""

    gpus: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Dealer:
    """Gives each job of a sweep its share of this machine, and takes it back.

    With one job at a time there is nothing to deal: it gets the machine as it is. Else the cores are divided, unless
    ``OMP_NUM_THREADS`` is set already, as processes that each take all of them stand in each other's way; and a job
    that trains on GPUs gets as many as its ``trainer.devices`` for itself, or those that it names there.
    """

    def __init__(self, jobs: int, *, cores: int | None = None, gpus: Sequence[str] | None = None) -> None:
        self._jobs = jobs
        self._cores = usable_cores() if cores is None else cores
        self._all = list(visible_gpus() if gpus is None else gpus)
        self._free = list(self._all)

    def take(self, config: Mapping[str, Any]) -> Share | None:
        """The share of a job; None where too few GPUs are free for now."""
        wanted = min(self.gpus_of(config), len(self._all))
        if self._jobs == 1:
            return Share()
        named = [self._all[place] for place in _places(config) if 0 <= place < len(self._all)] if wanted else []
        gpus = tuple(named if len(named) == wanted else self._free[:wanted])
        if len(gpus) < wanted or not set(gpus) <= set(self._free):
            return None
        self._free = [gpu for gpu in self._free if gpu not in gpus]
        # a job that names its GPUs counts them among all
        environment = {GPUS: ",".join(gpus)} if gpus and list(gpus) != named else {}
        if not os.environ.get(THREADS):
            ranks = 1 if gpus else processes_of(config)
            environment[THREADS] = str(max(1, self._cores // self._jobs // ranks))
        return Share(gpus, environment)

    def give_back(self, share: Share) -> None:
        """Let another job have it."""
        self._free = [gpu for gpu in self._all if gpu in (*self._free, *share.gpus)]

    def gpus_of(self, config: Mapping[str, Any]) -> int:
        """How many GPUs a job would train on."""
        if not self._all or config["trainer"]["accelerator"] not in ("auto", "gpu", "cuda"):
            return 0
        return len(self._all) if _spreads(config) and device_count(config) is None else device_count(config) or 1


def processes_of(config: Mapping[str, Any]) -> int:
    """How many ranks a job has on this machine; where that is its own choice, the least."""
    return device_count(config) or 1


def is_single(config: Mapping[str, Any], gpus: int) -> bool:
    """Whether a job trains in its worker's own process, where ``gpus`` are visible, and starts no ranks of its own."""
    one = device_count(config) == 1 or (device_count(config) is None and not (gpus and _spreads(config)))
    return one and config["trainer"]["num_nodes"] == 1


def visible_gpus() -> list[str]:
    """The names of the GPUs that this process may use; none where the driver does not answer. Torch is not imported."""
    if (named := os.environ.get(GPUS)) is not None:
        names = [name.strip() for name in named.split(",")]
        return list(takewhile(lambda name: name and not name.startswith("-"), names))  # as CUDA reads it: -1 is none
    try:
        told = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in told.stdout.splitlines() if line.startswith("GPU ")] if told.returncode == 0 else []
    return [str(number) for number in range(len(lines))]


def device_count(config: Mapping[str, Any]) -> int | None:
    """The number that ``trainer.devices`` tells; None where it leaves that open (``auto``, -1)."""
    devices = config["trainer"]["devices"]
    return len(_places(config)) or (int(devices) if str(devices).isdecimal() else None)


def _places(config: Mapping[str, Any]) -> list[int]:
    """The devices that ``trainer.devices`` names by their places among all: a list, or a text with commas."""
    devices = config["trainer"]["devices"]
    if isinstance(devices, str) and "," in devices:
        return [int(part) for part in devices.split(",") if part.strip().isdecimal()]
    return list(devices) if isinstance(devices, list) else []


def _spreads(config: Mapping[str, Any]) -> bool:
    """Whether open devices mean all of them."""
    return config["trainer"]["devices"] != "auto" or config["trainer"]["strategy"] != "auto"
