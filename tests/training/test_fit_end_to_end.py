"""Proves, by training two layers, what a run leaves behind: checkpoints, rows of metrics, progress lines, no noise."""

import errno
import io
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from quatrain.core.errors import NotNow, UserError
from quatrain.training.checkpoint_files import WholeCheckpoints, saved_in
from quatrain.training.checkpoints import Checkpoints
from quatrain.training.metrics_log import MetricsLog
from quatrain.training.optimizers import make_optimizer
from quatrain.training.progress import Progress, clock
from quatrain.training.schedules import Linear
from quatrain.training.seeding import seed_everything
from quatrain.training.trainer import build_trainer, ranks

SCORES = [3.0, 1.0, 2.0]
"""The validation losses of the first epochs, so that the second is the best."""


class TinyTask(pl.LightningModule):
    """Eight examples of four numbers; each counts as ten tokens. The validation loss is given by `scores`."""

    def __init__(self, scores: list[float] | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        self.scores = list(scores or [])
        self.last_step: dict[str, Any] = {}
        self.waiting: list[torch.Tensor] = []

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        loss = self.layers(batch[0]).pow(2).mean()
        self.waiting.append(loss.detach())
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.last_step = {
            "train/loss": torch.stack(self.waiting).mean(),
            "tokens": 20 * len(self.waiting),
            "examples": torch.tensor(2 * len(self.waiting)),
        }
        self.waiting = []

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        score = self.scores[0] if self.scores else 1.0
        self.log("val/loss", torch.tensor(score), on_epoch=True, sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        if self.scores and not self.trainer.sanity_checking:
            self.scores.pop(0)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = make_optimizer(self, torch.optim.AdamW, lr=0.1, betas=[0.9, 0.98], weight_decay=0.1)
        schedule = Linear()(optimizer, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def loader() -> DataLoader:
    return DataLoader(TensorDataset(torch.arange(32.0).reshape(8, 4)), batch_size=2)


class Fitted:
    """A trained `TinyTask` and what its callbacks saw."""

    def __init__(
        self,
        folder: Path,
        scores: list[float] | None = None,
        *,
        validate: bool = True,
        monitor: str | None = "val/loss",
        resume: bool = False,
        **arguments: Any,
    ) -> None:
        seed_everything(0)
        self.rows: list[dict[str, Any]] = []
        self.log = MetricsLog(self.rows.append)
        self.checkpoints = Checkpoints(folder=str(folder / "checkpoints"), monitor=monitor)
        self.screen = io.StringIO()
        self.task = TinyTask(scores)
        self.trainer = build_trainer(
            {"accelerator": "cpu", "devices": 1, "log_every_n_steps": 1, "max_epochs": 3} | arguments,
            callbacks=[self.log, Progress(self.log, interval=0.0, stream=self.screen), self.checkpoints],
            loggers=[],
            folder=folder,
        )
        last = folder / "checkpoints" / "last.ckpt"
        self.trainer.fit(self.task, loader(), loader() if validate else None, ckpt_path=last if resume else None)

    @property
    def training_rows(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if "train/loss" in row]

    @property
    def validation_rows(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if "val/loss" in row]


def test_best_and_last_hold_tensors_and_plain_values_only(tmp_path: Path) -> None:
    """Three epochs of four steps with the losses 3, 1, 2: the best is step 8, the last step 12."""
    fitted = Fitted(tmp_path, SCORES)
    folder = tmp_path / "checkpoints"
    assert [saved.step for saved in saved_in(folder)] == [12, 8]
    assert sorted(file.name for file in folder.iterdir() if "step" not in file.name) == ["best.ckpt", "last.ckpt"]
    best, last = (torch.load(folder / name, weights_only=True) for name in ("best.ckpt", "last.ckpt"))
    assert (best["global_step"], last["global_step"]) == (8, 12)
    assert (fitted.checkpoints.best_step, fitted.checkpoints.best_score) == (8, 1.0)
    found = fitted.checkpoints.best()
    assert found is not None
    assert found.path.samefile(folder / "best.ckpt")
    for name, weight in fitted.task.state_dict().items():
        assert torch.equal(last["state_dict"][name], weight)
    fitted.trainer.validate(fitted.task, loader(), ckpt_path="best", verbose=False)
    assert all(torch.equal(best["state_dict"][name], weight) for name, weight in fitted.task.state_dict().items())


def test_when_the_last_is_the_best_it_is_stored_once(tmp_path: Path) -> None:
    fitted = Fitted(tmp_path, [2.0, 1.0], max_epochs=2)
    best = fitted.checkpoints.best()
    assert best is not None
    assert best.path.samefile(tmp_path / "checkpoints" / "last.ckpt")


def test_a_score_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    fitted = Fitted(tmp_path, [float("nan"), 2.0, float("nan")])
    assert fitted.checkpoints.best_step == 8


@pytest.mark.parametrize("arguments", [{"validate": False}, {"fast_dev_run": True}, {"monitor": None}])
def test_without_validation_there_is_only_the_last(tmp_path: Path, arguments: dict[str, Any]) -> None:
    fitted = Fitted(tmp_path, **arguments)
    assert not (tmp_path / "checkpoints" / "best.ckpt").exists()
    assert fitted.checkpoints.best() is None
    step = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    assert step == fitted.trainer.global_step


def test_a_score_that_is_not_logged_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"monitor=val/lss is not logged; the validation logs val/loss"):
        Fitted(tmp_path, monitor="val/lss")


def test_validation_within_an_epoch_saves_too(tmp_path: Path) -> None:
    """Twice an epoch of four steps: the scores belong to the steps 2, 4, 6, 8."""
    fitted = Fitted(tmp_path, [4.0, 3.0, 1.0, 2.0], max_epochs=2, val_check_interval=0.5)
    assert [row["step"] for row in fitted.validation_rows] == [2, 4, 6, 8]
    assert torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 6
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 8


def test_the_last_of_max_steps_is_validated_and_saved(tmp_path: Path) -> None:
    """Six steps end within the second epoch, where Lightning alone would validate after step 4 only."""
    fitted = Fitted(tmp_path, max_epochs=-1, max_steps=6)
    assert [row["step"] for row in fitted.validation_rows] == [4, 6]
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 6


def test_a_resumed_training_goes_on_with_steps_counts_and_the_best(tmp_path: Path) -> None:
    first = Fitted(tmp_path, [1.0, 2.0], max_epochs=2)
    second = Fitted(tmp_path, [3.0], max_epochs=3, resume=True)
    assert [row["step"] for row in second.training_rows] == [9, 10, 11, 12]
    assert second.log.tokens == 12 * 20
    assert second.log.seconds > first.log.seconds
    assert (second.checkpoints.best_step, second.checkpoints.best_score) == (4, 1.0)
    assert torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["global_step"] == 4


def test_each_step_is_reported_once_with_the_rate_it_used(tmp_path: Path) -> None:
    """Three epochs of four steps; the rate falls from 0.1 in twelfths."""
    fitted = Fitted(tmp_path, SCORES)
    rows = fitted.training_rows
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert [row["epoch"] for row in rows] == [0] * 4 + [1] * 4 + [2] * 4
    assert [row["train/lr"] for row in rows] == pytest.approx([0.1 * (12 - step) / 12 for step in range(12)])
    assert [row["train/tokens"] for row in rows] == [20 * step for step in range(1, 13)]
    assert all(type(value) in (int, float) for row in fitted.rows for value in row.values())
    assert all(row["train/tokens_per_second"] > 0 for row in rows)
    assert [(row["step"], row["val/loss"]) for row in fitted.validation_rows] == [(4, 3.0), (8, 1.0), (12, 2.0)]
    assert (fitted.log.tokens, fitted.log.examples) == (240, 24)
    assert fitted.log.rates["tokens_per_second"] == pytest.approx(240 / fitted.log.seconds)


def test_a_validation_row_holds_every_held_out_set_and_nothing_else() -> None:
    rows: list[dict[str, Any]] = []
    scores = {"val/loss": torch.tensor(0.5), "val_mismatched/loss": torch.tensor(0.25), "train/loss": torch.tensor(1.0)}
    place = {"global_step": 7, "current_epoch": 1, "sanity_checking": False, "is_global_zero": True}
    MetricsLog(rows.append).on_validation_end(SimpleNamespace(callback_metrics=scores, **place), TinyTask())
    assert rows == [{"step": 7, "epoch": 1, "val/loss": 0.5, "val_mismatched/loss": 0.25}]


def test_steps_are_optimizer_steps_when_batches_accumulate(tmp_path: Path) -> None:
    """Two batches a step: six steps in three epochs, reported at every second; the tokens of all are counted."""
    fitted = Fitted(tmp_path, accumulate_grad_batches=2, log_every_n_steps=2)
    assert [row["step"] for row in fitted.training_rows] == [2, 4, 6]
    assert [row["train/tokens"] for row in fitted.training_rows] == [80, 160, 240]


def test_validation_time_is_not_training_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that only validation moves, no second of training passes."""
    now = [100.0]
    monkeypatch.setattr("quatrain.training.clock.time.perf_counter", lambda: now[0])
    plain = TinyTask.validation_step

    def slow(self: TinyTask, batch: list[torch.Tensor], batch_idx: int) -> None:
        now[0] += 50
        plain(self, batch, batch_idx)

    monkeypatch.setattr(TinyTask, "validation_step", slow)
    fitted = Fitted(tmp_path, SCORES, val_check_interval=0.5)
    assert now[0] > 100
    assert fitted.log.seconds == 0


def test_plain_progress_lines_without_repetition(tmp_path: Path) -> None:
    lines = Fitted(tmp_path, SCORES).screen.getvalue().splitlines()
    assert re.fullmatch(r"epoch 1/3 · step 1/12 · loss [\d.]+ · [\d,]+ tokens/s · 0:00 left", lines[0])
    assert any(re.search(r"step 4/12 .* validating 4/4", line) for line in lines)
    assert re.fullmatch(r"epoch 3/3 · step 12/12 · loss [\d.e-]+ · [\d,]+ tokens/s", lines[-1])
    assert len(lines) == len(set(lines))


def test_plain_progress_lines_are_rare(tmp_path: Path) -> None:
    screen = io.StringIO()
    log = MetricsLog(lambda row: None)
    trainer = build_trainer(
        {"accelerator": "cpu", "devices": 1, "max_epochs": 3},
        callbacks=[log, Progress(log, interval=60, stream=screen)],
        loggers=[],
        folder=tmp_path,
    )
    trainer.fit(TinyTask(), loader())
    assert len(screen.getvalue().splitlines()) == 1


def test_one_line_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is redrawn in place: what is left on the screen is one line, the last."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "140")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    log = MetricsLog(lambda row: None)
    trainer = build_trainer(
        {"accelerator": "cpu", "devices": 1, "max_epochs": 1},
        callbacks=[log, Progress(log, stream=screen)],
        loggers=[],
        folder=tmp_path,
    )
    trainer.fit(TinyTask(), loader())
    assert screen.getvalue().count("\n") == 1
    assert "step 4/4" in screen.getvalue()


def test_nothing_else_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Fitted(tmp_path, SCORES)
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


@pytest.mark.parametrize(
    ("cause", "told"),
    [(OSError(errno.ENOSPC, "No space left on device"), "No space left on device"), (None, "unexpected pos")],
)
def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: OSError | None, told: str
) -> None:
    """PyTorch's writer hides what the disk said behind an error of its own."""
    place = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 1}, place)

    def full(content: dict[str, Any], file: IO[bytes]) -> None:
        file.write(b"half")
        error = RuntimeError("unexpected pos 832 vs 726\nException raised from ...")
        error.__context__ = cause
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(NotNow, match=rf"last\.ckpt cannot be written \({told}"):
            WholeCheckpoints().save_checkpoint({"step": 2}, place)
    assert WholeCheckpoints().load_checkpoint(place) == {"step": 1}
    assert os.listdir(tmp_path) == ["last.ckpt"]  # noqa: PTH208 - hidden files count


def test_a_checkpoint_that_needs_code_is_not_loaded(tmp_path: Path) -> None:
    file = tmp_path / "code.ckpt"
    torch.save({"task": TinyTask()}, file)
    with pytest.raises(Exception, match="no checkpoint of tensors and plain values"):
        WholeCheckpoints().load_checkpoint(file, weights_only=False)


def test_clipping_goes_with_the_fused_optimizer_in_bfloat16(tmp_path: Path) -> None:
    fitted = Fitted(tmp_path, precision="bf16-mixed", gradient_clip_val=0.1)
    assert fitted.trainer.global_step == 12


def test_several_devices_get_our_ddp(tmp_path: Path) -> None:
    for arguments in ({"devices": 2}, {"devices": 2, "strategy": "ddp"}, {"devices": "2", "strategy": "auto"}):
        trainer = build_trainer({"accelerator": "cpu"} | arguments, callbacks=[], loggers=[], folder=tmp_path)
        strategy = trainer.strategy
        assert strategy.process_group_backend == "gloo"
        assert strategy._ddp_kwargs == {
            "forward_sync_buffers": False,
            "gradient_as_bucket_view": True,
            "find_unused_parameters": False,
        }
        assert isinstance(strategy.checkpoint_io, WholeCheckpoints)
    name = "ddp_find_unused_parameters_true"
    arguments = {"accelerator": "cpu", "devices": 2, "strategy": name}
    trainer = build_trainer(arguments, callbacks=[], loggers=[], folder=tmp_path)
    assert trainer.strategy._ddp_kwargs["find_unused_parameters"] is True


@pytest.mark.parametrize(
    ("devices", "nodes", "expected"),
    [(1, 1, 1), (2, 3, 6), ("2", 1, 2), ("0,3", 1, 2), ([0, 1, 2], 1, 3), ("auto", 1, 1), (-1, 1, float("inf"))],
)
def test_ranks_by_lightnings_words(devices: Any, nodes: int, expected: float) -> None:
    assert ranks(devices, nodes) == expected


def test_arguments_that_lightning_refuses_are_a_sentence(tmp_path: Path) -> None:
    for arguments in ({"max_epoch": 3}, {"precision": "8"}, {"val_check_interval": 7.5}):
        with pytest.raises(UserError, match="trainer: Lightning refuses its arguments"):
            build_trainer({"accelerator": "cpu"} | arguments, callbacks=[], loggers=[], folder=tmp_path)


def test_debugging_arguments_reach_lightning(tmp_path: Path) -> None:
    fitted = Fitted(tmp_path, overfit_batches=1, profiler="simple", max_epochs=2)
    assert fitted.trainer.global_step == 2


def test_clock() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 61, 3600, 3725)] == ["0:00", "1:00", "1:01", "1:00:00", "1:02:05"]
