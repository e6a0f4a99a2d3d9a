"""Two real processes on gloo train and score as one process does on the same rows."""

import json
import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from .ranks_job import run

JOB = Path(__file__).with_name("ranks_job.py")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """Metrics and weights of rank 0 and 1 of two, and of the only rank of one."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    jobs = [
        subprocess.Popen(
            [sys.executable, str(JOB), str(folder), str(rank), "2", str(port)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(folder, rank=0, world=1)
        said = [job.communicate(timeout=300)[0] for job in jobs]
    finally:
        for job in jobs:
            job.kill()
    assert [job.returncode for job in jobs] == [0, 0], "\n".join(said)
    return {
        name: (json.loads((folder / f"{name}.json").read_text()), torch.load(folder / f"{name}.pt"))
        for name in ("2-0", "2-1", "1-0")
    }


def test_weights_are_those_of_one_process(runs: Any) -> None:
    """Unequal numbers of targets on ranks and micro-batches, with clipping: the same weights to 1e-6."""
    for rank in ("2-0", "2-1"):
        for name, tensor in runs["1-0"][1].items():
            torch.testing.assert_close(runs[rank][1][name], tensor, atol=1e-6, rtol=1e-5, msg=name)


def test_metrics_are_those_of_one_process(runs: Any) -> None:
    """Step, held-out and correlation metrics agree on both ranks, although a rank has rows that are not scored."""
    reference = runs["1-0"][0]
    assert {"train/loss", "val/loss", "val/accuracy", "score/val/spearman", "train/grad_norm"} <= set(reference)
    for rank in ("2-0", "2-1"):
        assert runs[rank][0] == pytest.approx(reference, rel=1e-5)
