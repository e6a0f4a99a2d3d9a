"""The machine and the versions that numbers belong to."""

import json
import os
import subprocess
import sys
from typing import Any

BUSY = 0.5
"""A load average above it means that other processes run."""

TOLD = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "bf16")
PACKAGES = ("quatrain", "torch", "pytorch-lightning", "transformers", "tokenizers", "datasets", "tiktoken")
ASK = """
import json, torch
from quatrain.runs.machine import machine
from quatrain.runs.packages import versions
print(json.dumps({"machine": machine(), "versions": versions()}))
"""


def describe() -> dict[str, Any]:
    """Return ``machine`` (one line), ``gpu`` (its name or None) and ``versions``.

    Another process looks, because the libraries that can tell would stay in the memory of this one.
    """
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    found = json.loads(asked.stdout.splitlines()[-1])
    here = found["machine"]
    gpus = [gpu["name"] if isinstance(gpu, dict) else str(gpu) for gpu in here["gpus"] or []]
    flags = [flag for flag in TOLD if flag in here["cpu_flags"]]
    parts = [
        here["cpu"],
        f"{here['cpus_usable']} cores",
        f"{here['memory_bytes'] / 2**30:.0f} GiB of memory" if here["memory_bytes"] else "memory unknown",
        f"flags {' '.join(flags) or 'none of ' + ' '.join(TOLD)}",
        ", ".join(gpus) or "no GPU",
    ]
    versions = {"python": here["python"]} | {name: found["versions"][name] for name in PACKAGES}
    return {"machine": ", ".join(parts), "gpu": gpus[0] if gpus else None, "versions": versions}


def load() -> float:
    """Processes that ran on average in the last minute."""
    return os.getloadavg()[0]
