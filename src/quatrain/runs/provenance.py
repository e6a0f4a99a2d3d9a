"""Where a run came from: command, config, code, versions, machine and data. Nothing that could be a secret."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.secrets import HIDDEN, is_secret_name, redact_text
from quatrain.runs.directory import RunDirectory
from quatrain.runs.git_state import checkout_of, keep_source, own_checkout
from quatrain.runs.machine import machine, threads, variables
from quatrain.runs.packages import code_fingerprint, installed

if TYPE_CHECKING:
    from quatrain.runs.surroundings import Change

SOURCE_DIFF = "source.diff"
OWN_DIFF = "quatrain.diff"
"""The patch of quatrain's own checkout, where the run was started from another."""


def collect(
    run: RunDirectory,
    config: Mapping[str, Any],
    *,
    command: Sequence[str],
    project: Path,
    fingerprints: Mapping[str, str],
    prefixes: Sequence[str],
    ranks: int = 1,
    revisions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what is worth knowing about this start, as plain values, and write the patches of `code`.

    Args:
        run: the run; its ``config.yaml`` is fingerprinted.
        config: what stands in it.
        command: the command line, secrets hidden.
        project: the folder whose checkout counts as the project's, usually where the command was given.
        fingerprints: of ``data``, ``tokenizer`` and initial ``weights``.
        prefixes: the packages that the run needs to be allowed to name classes of.
        ranks: processes that train.
        revisions: the commits taken from the hub, by key.
    """
    return {
        "command": list(command),
        "config": {
            "file": run.config.name,
            "sha256": hashlib.sha256(run.config.read_bytes()).hexdigest(),
            "resolved": without_secrets(config),
        },
        **now(),
        **code(run.path, project, Path(config["run"]["root"])),
        "ranks": ranks,
        "seeds": seeds(config),
        "fingerprints": dict(fingerprints),
        "revisions": dict(revisions or {}),
        "allowed_prefixes": list(prefixes),
    }


def now() -> dict[str, Any]:
    """What surrounds this process: the time, packages, machine, threads and the variables that change numbers."""
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": installed(),
        "code": code_fingerprint(),
        **machine(),
        "threads": threads(),
        "environment": variables(),
    }


def code(run: Path, project: Path, outputs: Path) -> dict[str, Any]:
    """``git``, the state of the project's checkout, and ``quatrain_git``, of quatrain's own where it is another.

    The patches go to `SOURCE_DIFF` and `OWN_DIFF` in the run directory; ``outputs`` is where runs write, and no source.
    """
    folders = [run.resolve(), (project / outputs).resolve()]
    own = own_checkout()
    if own == checkout_of(project):
        own = None
    return {
        "git": keep_source(project, run / SOURCE_DIFF, outputs=folders),
        "quatrain_git": keep_source(own, run / OWN_DIFF, outputs=folders) if own else None,
    }


def seeds(config: Mapping[str, Any], place: str = "") -> dict[str, int]:
    """Every setting of ``config`` whose name is ``seed`` or ends in ``_seed``, by its whole key."""
    found: dict[str, int] = {}
    for name, value in config.items():
        key = f"{place}{name}"
        if isinstance(value, Mapping):
            found |= seeds(value, f"{key}.")
        elif name == "seed" or str(name).endswith("_seed"):
            found[key] = value
    return found


def without_secrets(value: Any, name: str = "") -> Any:
    """A config's value with what a secret's name holds, and secrets in its texts, hidden."""
    if isinstance(value, Mapping):
        return {key: without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(item, name) for item in value]
    if not isinstance(value, str):
        return value
    return HIDDEN if value and is_secret_name(name) else redact_text(value)


def note_resume(run: RunDirectory, *, step: int, checkpoint: str) -> "list[Change]":
    """Add to ``provenance.json``, under ``resumed``, that the run goes on in this process from ``checkpoint``.

    Returns what differs in the surroundings from the first start.

    The entry has the ``time``, ``host``, ``pid``, ``step``, the ``checkpoint`` file's name, and under ``changed`` what
    differs in the surroundings from the first start: each with ``what``, ``before`` and ``now``.

    Raises:
        UserError: what is there is no provenance.
        NotNow: the file cannot be written.
    """
    from quatrain.runs.recorded import read_provenance
    from quatrain.runs.surroundings import differences

    origin = read_provenance(run)
    here = now()
    found = differences(origin, here)
    entry = {
        "time": here["started"],
        "host": here["host"],
        "pid": os.getpid(),
        "step": step,
        "checkpoint": Path(checkpoint).name,
        "changed": [change.as_dict() for change in found],
    }
    run.write_provenance({**origin, "resumed": [*origin.get("resumed", []), entry]})
    return found
