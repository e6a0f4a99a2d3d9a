"""Where a run came from: command, code, versions, machine and data. Nothing that could be a secret."""

import os
import platform
import socket
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from quatrain.core.secrets import redact

PACKAGES = (
    "quatrain",
    "torch",
    "pytorch-lightning",
    "torchmetrics",
    "transformers",
    "tokenizers",
    "datasets",
    "tiktoken",
    "numpy",
    "hydra-core",
    "omegaconf",
    "peft",
    "wandb",
)


def collect(
    *,
    command: Sequence[str],
    project: Path,
    fingerprints: Mapping[str, str],
    prefixes: Sequence[str],
    revisions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what is worth knowing about this start, as plain values.

    Args:
        command: the command line; values that could be secrets are hidden.
        project: the folder whose git state counts as the code's, usually where the command was given.
        fingerprints: of data and tokenizer, by name.
        prefixes: the packages that the run needs to be allowed to name classes of.
        revisions: the commits taken from the hub, by key.
    """
    return {
        "command": redact(command),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpu": cpu_name(),
        "cpus": os.cpu_count(),
        "gpus": gpu_names(),
        "git": git_state(project),
        "fingerprints": dict(fingerprints),
        "revisions": dict(revisions or {}),
        "allowed_prefixes": list(prefixes),
    }


def versions() -> dict[str, str]:
    """The installed ones of `PACKAGES`, without importing them."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def cpu_name(path: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as far as the system tells."""
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def gpu_names() -> list[str]:
    """The names of the visible GPUs."""
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def git_state(folder: Path) -> dict[str, Any] | None:
    """``commit`` and ``dirty`` (whether anything differs from it) of the checkout around ``folder``; None if none."""
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain")
    return None if commit is None or changed is None else {"commit": commit, "dirty": bool(changed)}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
