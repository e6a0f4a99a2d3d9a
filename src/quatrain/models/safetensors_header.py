"""What a safetensors file says of itself, judged against the file before anything of it is loaded."""

import json
import math
from pathlib import Path
from typing import Any

from quatrain.core.brought_files import megabytes

LONGEST_HEADER = 100 * 10**6
"""Bytes of the header, which the format itself allows."""

_LENGTH = 8
_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E5M2": 1, "F8_E4M3": 1}
_REPAIR = "fetch or export it again."


def check_header(file: Path, key: str) -> str | None:
    """The sentence for a safetensors file whose header does not fit it; None where all is well.

    The header's length, the bytes that it declares and the shape of each tensor are compared with the file's size.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH), "little")
        if size < _LENGTH or length > min(size - _LENGTH, LONGEST_HEADER):
            return (
                f"{key}: {file} declares a header of {megabytes(length)}, and the file has {megabytes(size)} (at most"
                f" {megabytes(LONGEST_HEADER)} are read of a header); {_REPAIR}"
            )
        written = stream.read(length)
    try:
        header = json.loads(written)
        ends = [_end(name, tensor) for name, tensor in header.items() if name != "__metadata__"]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        return f"{key}: {file} has a header that is none of safetensors ({error or type(error).__name__}); {_REPAIR}"
    declared, there = max(ends, default=0), size - _LENGTH - length
    if declared != there:
        return f"{key}: {file} declares {megabytes(declared)} of tensors and holds {megabytes(there)}; {_REPAIR}"
    return None


def _end(name: str, tensor: dict[str, Any]) -> int:
    """Where a tensor ends.

    Raises:
        ValueError: its bytes do not fit its shape.
    """
    start, end = tensor["data_offsets"]
    shape = tensor["shape"]
    if not all(type(value) is int and value >= 0 for value in (start, end, *shape)) or end < start:
        raise ValueError(f"{name} has no place")
    width = _BYTES.get(tensor["dtype"])
    if width is not None and math.prod(shape) * width != end - start:
        raise ValueError(f"{name} has {end - start} bytes for the shape {shape}")
    return int(end)
