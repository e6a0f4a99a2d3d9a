"""A profile of some batches: which ones, what it leaves behind, and that the training goes on without it."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from quatrain.training.profiler import Profile, plan, table
from quatrain.training.trainer import build_trainer


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        (float("inf"), (2, 2, 5)),
        (9, (2, 2, 5)),
        (8, (1, 2, 5)),
        (6, (0, 1, 5)),
        (3, (0, 1, 2)),
        (2, (0, 1, 1)),
        (1, (0, 0, 1)),
        (0, (0, 0, 1)),
    ],
)
def test_which_batches(batches: float, expected: tuple[int, int, int]) -> None:
    """Five are recorded; with fewer to come, what goes before gives way first."""
    assert plan(batches) == expected


class Watched(pl.LightningModule):
    """Notes of each batch whether a profiler runs; ends the training after ``stop_after`` of them."""

    def __init__(self, stop_after: int) -> None:
        super().__init__()
        self.stop_after = stop_after
        self.layer = torch.nn.Linear(4, 4)
        self.profiled: list[bool] = []

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        self.profiled.append(torch.autograd._profiler_enabled())
        self.trainer.should_stop = len(self.profiled) == self.stop_after
        return self.layer(batch[0]).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fitted(folder: Path, batches: int, stop_after: int = 0) -> tuple[Watched, list[str]]:
    task, told = Watched(stop_after), []
    trainer = build_trainer(
        {"accelerator": "cpu", "devices": 1, "max_epochs": 1},
        callbacks=[Profile(folder / "profile", told.append)],
        loggers=[],
        folder=folder,
    )
    trainer.fit(task, DataLoader(TensorDataset(torch.ones(2 * batches, 4)), batch_size=2))
    return task, told


def recorded(folder: Path) -> list[str]:
    with gzip.open(folder / "profile" / "trace.json.gz", "rt") as file:
        events = json.load(file)["traceEvents"]
    return [event["name"] for event in events if event.get("name", "").startswith("ProfilerStep#")]


def test_five_batches_are_recorded_and_the_others_run_free(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    task, told = fitted(tmp_path, 12)
    assert task.profiled == [False] * 4 + [True] * 5 + [False] * 3
    assert len(recorded(tmp_path)) == 5
    assert told[0].startswith("the 10 dearest parts of a batch, of ")
    assert any("aten::addmm" in line for line in told)
    assert told[-1].startswith(f"the trace of these batches: {tmp_path / 'profile' / 'trace.json.gz'}")
    assert [path.name for path in (tmp_path / "profile").iterdir()] == ["trace.json.gz"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("batches", [1, 2])
def test_a_short_training_is_recorded_as_far_as_it_goes(tmp_path: Path, batches: int) -> None:
    _, told = fitted(tmp_path, batches)
    assert len(recorded(tmp_path)) == 1
    assert len(told) > 3


def test_a_training_that_stops_early_is_recorded_up_to_there(tmp_path: Path) -> None:
    """It could have had 12 batches and is stopped after 6, in the second that is recorded."""
    _, told = fitted(tmp_path, 12, stop_after=6)
    assert recorded(tmp_path)[:2] == ["ProfilerStep#4", "ProfilerStep#5"]
    assert len(told) > 3


def test_a_trace_that_cannot_be_written_ends_no_training(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("")
    task, told = fitted(tmp_path, 10)
    assert len(task.profiled) == 10
    assert told[-1].startswith(f"the trace could not be written to {tmp_path / 'profile' / 'trace.json.gz'}: ")


def event(name: str, count: int, cpu: float, device: float = 0.0, *, annotation: bool = False) -> SimpleNamespace:
    return SimpleNamespace(
        key=name,
        count=count,
        self_cpu_time_total=cpu,
        self_device_time_total=device,
        is_user_annotation=annotation,
    )


def test_the_table_by_hand() -> None:
    """Two batches of 10 ms each, in microseconds: a product 12 ms, a copy 6 ms, and 2 ms of neither."""
    events = [event("aten::copy_", 8, 6000), event("ProfilerStep*", 2, 2000), event("aten::mm", 4, 12000)]
    assert table(events, 2) == [
        "the 3 dearest parts of a batch, of 10.0 ms on the CPU:",
        " 60.0%      6.00 ms       2 x  aten::mm",
        " 30.0%      3.00 ms       4 x  aten::copy_",
        " 10.0%      1.00 ms       1 x  Python, between the operations",
    ]


def test_on_a_gpu_its_own_time_counts_and_nothing_twice() -> None:
    """What the CPU did is left out, and so are the names of whole batches, which cover their kernels."""
    events = [
        event("ProfilerStep*", 1, 50000, 20000, annotation=True),
        event("aten::mm", 4, 40000),
        event("gemm", 4, 0, 3000),
        event("copy", 1, 0, 1000),
    ]
    assert table(events, 1)[1:] == [
        " 75.0%      3.00 ms       4 x  gemm",
        " 25.0%      1.00 ms       1 x  copy",
    ]
