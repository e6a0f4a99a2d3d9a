"""Seconds of training and of waiting, with a clock that stands still but where a test moves it."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from quatrain.models.flops import ModelFlops
from quatrain.training.clock import Clock
from quatrain.training.metrics_log import MetricsLog
from quatrain.training.pace import Totals


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr("quatrain.training.clock.time.perf_counter", lambda: moment[0])
    return moment


def test_the_first_batch_belongs_to_the_start(now: list[float]) -> None:
    clock = Clock()
    clock.ask()
    now[0] += 5
    clock.have()
    clock.run()
    now[0] += 2
    assert (clock.seconds, clock.waited) == (2, 0)


def test_waiting_is_part_of_the_training_also_after_a_rest(now: list[float]) -> None:
    """1 s of training, 10 s of rest, then 3 s until a batch is there, and 4 s of training on it."""
    clock = Clock()
    clock.run()
    now[0] += 1
    clock.rest()
    now[0] += 10
    clock.ask()
    now[0] += 3
    clock.have()
    clock.run()
    now[0] += 4
    clock.rest()
    now[0] += 10
    assert (clock.seconds, clock.waited) == (8, 3)


class Slow(Dataset[torch.Tensor]):
    """Eight rows; each takes a second to read."""

    def __init__(self, now: list[float]) -> None:
        self.now = now

    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> torch.Tensor:
        self.now[0] += 1
        return torch.ones(4)


class Task(pl.LightningModule):
    """A step takes two seconds, and counts as ten tokens."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self.now = now
        self.layer = torch.nn.Linear(4, 1)
        self.last_step: dict[str, Any] = {}

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.now[0] += 2
        self.last_step = {"tokens": 10, "examples": 2, "scored": 3}
        return self.layer(batch).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_rows_tell_what_share_was_waited(now: list[float], tmp_path: Any) -> None:
    """Batches of two rows: 2 s to read, 2 s to train. Of the first row of all, reading belongs to the start."""
    rows: list[dict[str, Any]] = []
    log = MetricsLog(rows.append)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=2, log_every_n_steps=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[log], default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Task(now), DataLoader(Slow(now), batch_size=2))
    assert [row["train/data_wait"] for row in rows] == [0.0] + [0.5] * 7
    assert [row["train/tokens_per_second"] for row in rows] == [5.0] + [2.5] * 7
    speed = log.speed()
    assert (speed["seconds"], speed["tokens"], speed["data_wait"]) == (30, 80, 14 / 30)
    assert speed["flops_per_second"] is speed["mfu"] is None
    assert not [name for row in rows for name in row if "flops" in name or "mfu" in name]
    other = MetricsLog(rows.append)
    other.load_state_dict(log.state_dict())
    assert other.totals == log.totals == Totals(80, 16, 24, 8 * 50, 30, 14)


def test_rates_by_hand() -> None:
    """Two seconds after a checkpoint: 100 tokens in 10 examples, of which 5 are scored."""
    before = Totals(tokens=1000, examples=100, scored=50, attended=10000, seconds=20, waited=5)
    now = Totals(tokens=1100, examples=110, scored=55, attended=11000, seconds=22, waited=5.5)
    rates = now.since(before).rates(ModelFlops(token=7, scored=11, pair=3), 10000.0, listened=True)
    done = 7 * 100 + 11 * 5 + 3 * 1000
    assert rates == {
        "tokens_per_second": 50,
        "flops_per_second": done / 2,
        "mfu": done / 2 / 10000,
        "data_wait": 0.25,
    }
    assert set(now.rates(None, 1.0, listened=False)) == {"tokens_per_second"}
    assert Totals().rates(None, None, listened=True) == {}
