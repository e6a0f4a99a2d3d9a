"""The most that a device computes, measured: what a training's share of it is told by."""

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.atomic_files import write_whole
from quatrain.core.errors import NotNow
from quatrain.corpora.cache import cache_folder
from quatrain.training.hardware import cpu_name, usable_cores

if TYPE_CHECKING:
    import torch

SECONDS = 0.12
"""How long products are timed, after one that tells how large they may be."""

SIDES = (1024, 2048, 4096, 8192)
LONGEST = 0.05
"""Seconds of one product: the largest of `SIDES` that takes no longer is chosen, as small ones do not fill a device."""

FORMATS = {"bf16": "bfloat16", "16": "float16", "32": "float32", "64": "float64"}


@dataclass(frozen=True)
class Peak:
    """Floating-point operations a second, and how that was found out."""

    flops_per_second: float
    how: str

    def __str__(self) -> str:
        return f"peak: {in_flops(self.flops_per_second)}, {self.how}"


def device_peak(
    device: "torch.device", precision: str | int, *, processes: int = 1, folder: Path | None = None
) -> Peak | None:
    """The peak of one process on ``device`` in the number format of Lightning's ``precision``; None where unknown.

    The fastest of square matrix products of some tenths of a second, kept in ``folder`` (of the cache, if not given)
    by device, threads, processes, format and torch, so that it is measured once on a machine. Beside other processes
    too little is found, and a share of it may come out above 1: delete the file, which the words of a kept one name.
    The random state of the training is left alone.

    Args:
        device: where to compute, with the threads that this process computes with.
        precision: Lightning's word.
        processes: how many measure at this moment, as they will train.
        folder: where measurements are kept.
    """
    import torch

    form = FORMATS.get(str(precision).partition("-")[0])
    if form is None or device.type not in ("cpu", "cuda"):
        return None
    threads = torch.get_num_threads() if device.type == "cpu" else 0
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{cpu_name()}, {usable_cores()} cores"
    asked = [name, threads, processes, form, torch.__version__]
    folder = folder or cache_folder() / "peaks"
    kept = folder / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]}.json"
    found = _read(kept)
    if found:
        return Peak(found.flops_per_second, f"{found.how} (before, see {kept})")
    try:
        found = _measured(device, getattr(torch, form), threads)
    except torch.OutOfMemoryError:
        return None
    with suppress(NotNow, OSError):  # it is measured again
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(kept, json.dumps(asdict(found) | {"for": asked}))
    return found


def in_flops(flops_per_second: float) -> str:
    """In the unit that leaves a number of one to three digits before the point."""
    for unit, size in (("PFLOP/s", 1e15), ("TFLOP/s", 1e12), ("GFLOP/s", 1e9)):
        if flops_per_second >= size:
            return f"{flops_per_second / size:.3g} {unit}"
    return f"{flops_per_second / 1e6:.3g} MFLOP/s"


def _measured(device: "torch.device", form: Any, threads: int) -> Peak:
    import torch

    began = time.perf_counter()
    small = _product(device, form, SIDES[0])
    first = min(small() for _ in range(4))  # the very first chooses kernels
    fitting = [side for side in SIDES if first * (side / SIDES[0]) ** 3 <= LONGEST]
    side = fitting[-1] if fitting else SIDES[0]
    product, best, timed = _product(device, form, side), float("inf"), time.perf_counter()
    while time.perf_counter() - timed < SECONDS:
        best = min(best, product())
    del small, product
    if device.type == "cuda":
        torch.cuda.empty_cache()
    on = f" on {threads} thread{'s' if threads > 1 else ''}" if threads else ""
    word = str(form).removeprefix("torch.")
    how = f"measured with {word} products of {side} x {side}{on} in {time.perf_counter() - began:.2g} s"
    return Peak(2 * side**3 / best, how)


def _product(device: "torch.device", form: Any, side: int) -> Any:
    """A function that multiplies two matrices and returns the seconds that it took."""
    import torch

    generator = torch.Generator(device).manual_seed(0)
    tile = torch.randn(SIDES[0], SIDES[0], generator=generator, device=device).to(form)  # numbers are slow to make
    left, right = (tile.repeat(side // SIDES[0], side // SIDES[0]) for _ in range(2))
    into = torch.empty_like(left)

    def timed() -> float:
        _finished(device)
        began = time.perf_counter()
        torch.mm(left, right, out=into)
        _finished(device)
        return time.perf_counter() - began

    return timed


def _finished(device: "torch.device") -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _read(path: Path) -> Peak | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = Peak(float(content["flops_per_second"]), str(content["how"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if 0 < found.flops_per_second < float("inf") else None
