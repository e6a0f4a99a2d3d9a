"""Run directories as runs leave them, of small files and values that a test chooses."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quatrain.runs.directory import RunDirectory

DEAD = 2**22 + 1
"""A number that no process has."""


def made_up(
    path: Path,
    status: str = "done",
    *,
    loss: float = 3.0,
    score: str = "val/loss",
    overrides: tuple[str, ...] = ("experiment=tried", "optimizer.lr=0.1"),
    checkpoints: tuple[int, ...] = (),
    best: int = 2,
    age: float = 0.0,
    **result: Any,
) -> RunDirectory:
    """Make a run of ``status`` that was set ``age`` seconds ago, with a result if it is done; return it.

    Checkpoints are of the given steps; those of ``best`` and of the last step have their second names.
    """
    config = {"name": "tried", "seed": 7, "run": {"dir": None}, "data": {"_target_": "x"}}
    run = RunDirectory.create(path, config, list(overrides))
    time = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age, UTC).isoformat()
    why = "It broke." if status == "failed" else None
    said = {"status": status, "why": why, "time": time, "pid": DEAD, "process_start": "x", "host": socket.gethostname()}
    run.status_file.write_text(json.dumps(said), encoding="utf-8")
    run.metrics_file.write_text("step,epoch,val/loss\n5,0,3.5\n", encoding="utf-8")
    if status == "done":
        scores = {"metrics": {score: loss + 1}, "best": {"step": best, score: loss}}
        whole = {"name": "tried", "seed": 7, "monitor": "val/loss", "mode": "min", "seconds": 10.0}
        run.write_result({**scores, **whole, **result})
    if checkpoints:
        run.checkpoints.mkdir()
    for step in checkpoints:
        (run.checkpoints / f"step-{step:08d}-{step:016x}.ckpt").write_bytes(b"w" * 1000)
    for name, step in (("best.ckpt", best), ("last.ckpt", max(checkpoints, default=0))):
        if step in checkpoints:
            os.link(run.checkpoints / f"step-{step:08d}-{step:016x}.ckpt", run.checkpoints / name)
    return run
