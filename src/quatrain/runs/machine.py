"""The machine that a run is on, as far as it can change a number or a speed."""

import os
import platform
import re
import socket
from pathlib import Path
from typing import Any

from quatrain.core.secrets import redact_text
from quatrain.training.hardware import cpu_name, usable_cores

INSTRUCTION_SETS = frozenset(
    (
        *("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16"),
        *("avx512_fp16", "avx_vnni", "amx_bf16", "amx_int8", "amx_tile"),
        *("asimd", "asimdhp", "asimddp", "sve", "sve2", "bf16", "i8mm"),
    )
)
"""Flags of a processor by which libraries choose their kernels, and with them the order of a sum."""

VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ATEN_CPU_CAPABILITY",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "NCCL_ALGO",
    "NCCL_PROTO",
    "PYTHONHASHSEED",
)
"""Environment variables that change numbers; no other is recorded."""


def machine() -> dict[str, Any]:
    """Return ``python``, ``platform``, ``host``, the CPU, memory and GPUs; imports torch."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpu": cpu_name(),
        "cpu_flags": instruction_sets(),
        "cpus": os.cpu_count(),
        "cpus_usable": usable_cores(),
        "memory_bytes": memory_bytes(),
        "gpus": gpus(),
        **cuda(),
    }


def instruction_sets(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    """The `INSTRUCTION_SETS` of the first core, sorted; none where the system does not tell."""
    if not path.exists():
        return []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if re.match(r"(flags|Features)\s*:", line):
            return sorted(INSTRUCTION_SETS & set(line.partition(":")[2].split()))
    return []


def memory_bytes() -> int | None:
    """Physical memory; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def gpus() -> list[dict[str, Any]]:
    """Name, memory and compute capability of each visible GPU."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [
        {"name": one.name, "memory_bytes": one.total_memory, "capability": f"{one.major}.{one.minor}"} for one in found
    ]


def cuda(driver: Path = Path("/proc/driver/nvidia/version")) -> dict[str, Any]:
    """Versions of CUDA and cuDNN that torch was built with, and of the driver; None where there is none."""
    import torch

    version = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", driver.read_text()) if driver.exists() else None
    return {
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": version[1] if version else None,
    }


def threads() -> dict[str, int]:
    """The threads that torch computes with in this process: within an operation, and across operations."""
    import torch

    return {"torch": torch.get_num_threads(), "interop": torch.get_num_interop_threads()}


def variables() -> dict[str, str]:
    """Those of `VARIABLES` that are set."""
    return {name: redact_text(os.environ[name]) for name in VARIABLES if name in os.environ}
