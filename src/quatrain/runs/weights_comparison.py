"""The exported weights of two runs side by side, to the bit."""

import filecmp
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError


@dataclass(frozen=True)
class WeightsComparison:
    """How many tensors were compared; what differs, in words; and the largest difference with its tensor's name."""

    tensors: int
    differing: tuple[str, ...]
    largest: float | None = None
    largest_in: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "tensors": self.tensors,
            "identical": not self.differing,
            "differing": list(self.differing),
            "largest": self.largest,
            "largest_in": self.largest_in,
        }


def compare_weights(original: Path, reproduced: Path) -> WeightsComparison | None:
    """Compare the exports of two runs, tensor by tensor, bit by bit; None where one of them has none.

    Raises:
        UserError: a file is no safetensors.
    """
    from safetensors import SafetensorError

    first, second = (sorted(folder.glob("*.safetensors")) for folder in (original, reproduced))
    if not first or not second:
        return None
    try:
        return _compare(first, second)
    except (SafetensorError, OSError) as error:
        raise UserError(f"The exports in {original} and {reproduced} cannot be compared ({error}).") from error


def _compare(first: list[Path], second: list[Path]) -> WeightsComparison:
    import torch

    here, there = _tensors(first), _tensors(second)
    if [file.name for file in first] == [file.name for file in second] and all(
        filecmp.cmp(one, other, shallow=False) for one, other in zip(first, second, strict=True)
    ):
        return WeightsComparison(len(here), ())
    differing, largest, where = [], None, None
    for name in sorted({*here, *there}):
        if name not in here or name not in there:
            differing.append(f"{name}: only in the {'reproduction' if name in there else 'original'}")
            continue
        one, other = _read(here[name], name), _read(there[name], name)
        if one.dtype != other.dtype or one.shape != other.shape:
            differing.append(f"{name}: {one.dtype} {tuple(one.shape)}, now {other.dtype} {tuple(other.shape)}")
        elif not torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8)):
            by = float((one.double() - other.double()).abs().max())
            differing.append(f"{name}: by {by:.3g}")
            if largest is None or by > largest or math.isnan(by):
                largest, where = by, name
    return WeightsComparison(len(here), tuple(differing), largest, where)


def _tensors(files: list[Path]) -> dict[str, Path]:
    """The file of each tensor."""
    from safetensors import safe_open

    found: dict[str, Path] = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            found |= dict.fromkeys(opened.keys(), file)
    return found


def _read(file: Path, name: str) -> Any:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return opened.get_tensor(name)
