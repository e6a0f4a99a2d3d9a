"""Proves on two real processes that rank 0 alone writes, that both agree on the best, and that no warning comes."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import torch

SOURCE = str(Path(__file__).resolve().parents[2] / "src")

PROGRAM = '''
"""Each rank sees eight examples in two epochs; the validation loss is 1 after the first and 2 after the second."""
import csv, os, sys
from pathlib import Path
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset
from quatrain.training.checkpoints import Checkpoints
from quatrain.training.metrics_log import MetricsLog
from quatrain.training.optimizers import make_optimizer
from quatrain.training.progress import Progress
from quatrain.training.trainer import build_trainer

class Task(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.last_step = {}
    def training_step(self, batch, batch_idx):
        loss = self.layer(batch[0]).pow(2).mean()
        self.last_step = {"train/loss": loss.detach(), "tokens": 10}
        return loss
    def validation_step(self, batch, batch_idx):
        self.log("val/loss", float(self.current_epoch + 1), sync_dist=True)
    def configure_optimizers(self):
        return make_optimizer(self, torch.optim.AdamW, lr=0.1)

folder = Path(sys.argv[1])
rank = os.environ.get("LOCAL_RANK", "0")
rows = []
log = MetricsLog(rows.append)
best = Checkpoints(folder=str(folder / "checkpoints"))
loader = DataLoader(TensorDataset(torch.ones(4, 4)), batch_size=2)
trainer = build_trainer(
    {"accelerator": "cpu", "devices": 2, "strategy": "ddp", "max_epochs": 2, "log_every_n_steps": 1},
    callbacks=[log, Progress(log, interval=600), best], loggers=[], folder=folder)
trainer.fit(Task(), loader, loader)
with (folder / f"rank{rank}.csv").open("w", newline="") as file:
    told = [["row", row["step"], row.get("val/loss")] for row in rows]
    csv.writer(file).writerows([["told", best.best_step, log.tokens], *told])
'''


def test_two_ranks(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error::FutureWarning"}
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "step 4/4" in done.stderr
    assert done.stdout == ""
    first, second = (list(csv.reader((tmp_path / f"rank{rank}.csv").read_text().splitlines())) for rank in (0, 1))
    assert first[0] == second[0] == ["told", "2", "40"]
    steps = [["row", "1", ""], ["row", "2", ""], ["row", "2", "1.0"]]
    assert first[1:] == [*steps, ["row", "3", ""], ["row", "4", ""], ["row", "4", "2.0"]]
    assert second[1:] == []
    best = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    last = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert (best["global_step"], last["global_step"]) == (2, 4)
