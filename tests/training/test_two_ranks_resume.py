"""Proves on real processes that two ranks stop together when one of them is asked to, and go on to the bit."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quatrain.config.compose import compose
from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory

pytestmark = pytest.mark.slow

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
RANKS = (
    "experiment=quick_mrpc",
    "data.verse_size=100",
    "data.batch_size=4",
    "data.bucketing=true",
    "trainer=ddp_cpu",
    "trainer.devices=2",
    "trainer.max_epochs=2",
    "trainer.accumulate_grad_batches=3",
    "model.config.hidden_size=16",
    "model.config.num_attention_heads=2",
    "model.config.hidden_dropout_prob=0.1",
)
"""Eighty examples: ten micro-batches of each rank in an epoch, four steps."""

PROGRAM = """
import os, sys
from quatrain.training.checkpoints import Checkpoints
from quatrain.worker import main
step = Checkpoints.on_train_batch_end
def ask(self, trainer, *rest):
    if trainer.global_rank == 1 and trainer.fit_loop.total_batch_idx == 12:  # in the second epoch, within a step
        os.kill(os.getpid(), 15)
    step(self, trainer, *rest)
if len(sys.argv) > 2:
    Checkpoints.on_train_batch_end = ask
sys.exit(main(sys.argv[1:2]))
"""


def work(run: RunDirectory, program: Path, *words: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(program), str(run.path), *words]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def told(run: RunDirectory) -> list[dict[str, str]]:
    with run.metrics_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: text for name, text in row.items() if not name.endswith(OF_TIME)} for row in rows]


def test_two_ranks_stop_together_and_go_on(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    whole, run = (RunDirectory.create(tmp_path / name, compose(RANKS), list(RANKS)) for name in ("whole", "run"))
    assert work(whole, program) == 0
    began = time.monotonic()
    assert work(run, program, "ask") == 75
    assert time.monotonic() - began < 60
    assert run.status().why == f"{signal.Signals(15).name} stopped the run."
    assert [row["step"] for row in told(run) if row["train/loss"]] == ["1", "2", "3", "4", "5"]
    assert work(run, program) == 0
    assert told(run) == told(whole)
    assert len(told(run)) == 10
    weights = [(one.export / "model.safetensors").read_bytes() for one in (run, whole)]
    assert weights[0] == weights[1]
