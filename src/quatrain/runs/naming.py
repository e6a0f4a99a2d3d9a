"""Names of run folders: when, what was asked for, and the identity of the experiment."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from quatrain.core.secrets import HIDDEN, redact

NOT_IDENTITY = ("run", "logger", "sweep", "preprocess", "hydra")
"""Parts of a config that do not change what is learned: place, time, job number, shards and who looks on."""

LONGEST_TAG = 60


def identity_hash(config: Mapping[str, Any]) -> str:
    """Return eight hex digits of the sha256 of the resolved config without `NOT_IDENTITY`, in any order of keys."""
    identity = {name: value for name, value in config.items() if name not in NOT_IDENTITY}
    canonical = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def readable_tag(overrides: Sequence[str]) -> str:
    """Return what the user changed, for the eye: ``optimizer.lr=1e-4 seed=2`` gives ``lr-1e-4_seed-2``.

    At most `LONGEST_TAG` characters, safe in file names, shells and overrides, which a comma or = would break;
    ``default`` where nothing is left to say. The experiment, what is not identity and what holds a secret are left out.
    """
    parts = []
    for override in redact(overrides):
        key, equals, value = override.lstrip("+").partition("=")
        head = key.split(".")[0].split("/")[0]
        if head in NOT_IDENTITY or key == "experiment" or HIDDEN in override:
            continue
        # of a path, the file; of a key, the last word
        shown = value.rstrip("/").rpartition("/")[2]
        parts.append(_safe(key.rpartition(".")[2] + equals.replace("=", "-") + shown))
    tag = "_".join(part for part in parts if part)[:LONGEST_TAG].rstrip(".-_")
    return tag or "default"


def time_part(environ: Mapping[str, str] = os.environ, now: datetime | None = None) -> str:
    """Return what stands for the time in a folder's name: the cluster's job where there is one, else date and time.

    A job's id is the same on all its ranks and when it is queued again, so that all find one folder. (A torchrun
    without ``--rdzv-id`` calls itself none, always; give it one.)
    """
    if job := environ.get("SLURM_JOB_ID"):
        array = environ.get("SLURM_ARRAY_JOB_ID")
        index = environ.get("SLURM_ARRAY_TASK_ID")
        step = environ.get("SLURM_STEP_ID")
        name = f"{array}_{index}" if array and index else job
        return _safe(f"slurm-{name}" + (f".{step}" if step else ""))
    if run := environ.get("TORCHELASTIC_RUN_ID"):
        return _safe(f"torchrun-{run}")
    return (now or datetime.now()).strftime("%Y%m%d-%H%M%S")


def run_folder(
    outputs: Path,
    experiment: str,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    *,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
) -> Path:
    """Return ``outputs/<experiment>/<time>-<tag>-<hash>`` for a single run; nothing is made."""
    name = f"{time_part(environ, now)}-{readable_tag(overrides)}-{identity_hash(config)}"
    return outputs / (_safe(experiment) or "experiment") / name


def sweep_job_folder(folder: Path, config: Mapping[str, Any], overrides: Sequence[str]) -> Path:
    """Return ``<folder>/<tag>-<hash>`` for a job of a sweep.

    The hash is the job's identity and the tag is decoration: a folder of the same hash under another tag is returned.
    """
    identity = identity_hash(config)
    there = sorted(folder.glob(f"*-{identity}"))
    return there[0] if there else folder / f"{readable_tag(overrides)}-{identity}"


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "_", text).strip("_.")
