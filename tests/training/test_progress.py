"""Proves that the progress line fits any terminal, knows what is left, and ends no training when nobody listens."""

import io
import re
from pathlib import Path

import pytest
import torch

from quatrain.training.metrics_log import MetricsLog
from quatrain.training.progress import Progress, fitted
from quatrain.training.trainer import build_trainer

from .test_fit_end_to_end import TinyTask, loader

PARTS = {
    "epoch": "epoch 3/12",
    "step": "step 12,345/50,000",
    "loss": "loss 3.349",
    "rate": "130,086 tokens/s",
    "mfu": "MFU 38%",
    "left": "1:02:03 left",
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    """A stream to which nobody listens any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def _train(folder: Path, stream: io.StringIO, *, interval: float = 0.0, epochs: int = 3) -> None:
    log, task = MetricsLog(lambda row: None), TinyTask()
    trainer = build_trainer(
        {"accelerator": "cpu", "devices": 1, "max_epochs": epochs},
        callbacks=[log, Progress(log, interval=interval, stream=stream)],
        loggers=[],
        folder=folder,
    )
    trainer.fit(task, loader(), loader())
    assert trainer.global_step == 4 * epochs


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "epoch 3/12 · step 12,345/50,000 · loss 3.349 · 130,086 tokens/s · MFU 38% · 1:02:03 left"),
        (80, "epoch 3/12 · step 12,345/50,000 · loss 3.349 · 130,086 tokens/s · 1:02:03 left"),
        (76, "epoch 3/12 · step 12,345/50,000 · loss 3.349 · 130k tokens/s · 1:02:03 left"),
        (70, "step 12,345/50,000 · loss 3.349 · 130k tokens/s · 1:02:03 left"),
        (50, "step 12,345/50,000 · loss 3.349 · 1:02:03 left"),
        (40, "step 12,345/50,000 · 1:02:03 left"),
        (10, "step 12,34"),
    ],
)
def test_what_matters_least_goes_first(width: int, line: str) -> None:
    assert fitted(PARTS, width) == line


def test_a_slow_rate_is_not_rounded() -> None:
    assert fitted({"step": "step 1/2", "rate": "697 tokens/s", "mfu": "MFU 2%"}, 25) == "step 1/2 · 697 tokens/s"


@pytest.mark.parametrize("columns", [20, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("quatrain.training.progress.REDRAWN", 0.0)
    screen = Terminal()
    _train(tmp_path, screen)
    plain = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", screen.getvalue())
    lines = [line for line in re.split(r"[\r\n]+", plain) if line]
    assert len(lines) > 12
    assert max(map(len, lines)) < columns
    assert plain.count("\n") == 1  # it is one line all the time
    assert ("━" in plain) == (columns == 120)


@pytest.mark.parametrize("variable", ["TERM=dumb", "FORCE_COLOR=1"])
def test_where_nothing_can_be_redrawn_there_are_plain_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """On a terminal that knows no commands, and in a pipe of which colours are demanded."""
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    screen = Terminal() if name == "TERM" else io.StringIO()
    _train(tmp_path, screen)
    lines = screen.getvalue().splitlines()
    assert "\x1b" not in screen.getvalue()
    assert lines[0].startswith("epoch 1/3 · step 1/12 · ")
    assert lines[-1].startswith("epoch 3/3 · step 12/12 · ")


def test_the_time_left_counts_the_validations_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes 10 s and a validation 200 s, by a clock that only they move; there are 12 steps and 3 of these."""
    now = [100.0]
    monkeypatch.setattr("quatrain.training.clock.time.perf_counter", lambda: now[0])
    step, validation = TinyTask.training_step, TinyTask.validation_step

    def slow_step(self: TinyTask, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        now[0] += 10
        return step(self, batch, batch_idx)

    def slow_validation(self: TinyTask, batch: list[torch.Tensor], batch_idx: int) -> None:
        now[0] += 50
        validation(self, batch, batch_idx)

    monkeypatch.setattr(TinyTask, "training_step", slow_step)
    monkeypatch.setattr(TinyTask, "validation_step", slow_validation)
    screen = io.StringIO()
    _train(tmp_path, screen)
    left = dict(re.findall(r"step (\d+)/12 .* ([\d:]+) left", screen.getvalue()))
    assert left["3"] == "1:30"  # nobody knows yet how long a validation takes
    assert left["5"] == "7:50"  # seven steps and two validations
    assert left["9"] == "3:50"
    assert left["11"] == "3:30"


def test_nobody_listening_ends_no_training(tmp_path: Path) -> None:
    _train(tmp_path, Closed(), epochs=1)
