"""Proves that metrics.csv keeps every bit, grows columns, survives a kill and holds each step once."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import NotNow
from quatrain.runs.metrics_file import MetricsFile, read_rows


def test_the_file_as_it_stands(tmp_path: Path) -> None:
    """By hand: step and epoch first, a new column at the end, empty cells where a row has nothing."""
    file = MetricsFile(tmp_path / "metrics.csv")
    file.append({"train/loss": 0.1, "step": 1, "epoch": 0})
    file.append({"step": 1, "epoch": 0, "val/loss": 2.5})
    file.append({"step": 2, "epoch": 0, "train/loss": 1e-30})
    assert file.path.read_text() == "step,epoch,train/loss,val/loss\n1,0,0.1,\n1,0,,2.5\n2,0,1e-30,\n"
    assert read_rows(file.path) == [
        {"step": 1, "epoch": 0, "train/loss": 0.1},
        {"step": 1, "epoch": 0, "val/loss": 2.5},
        {"step": 2, "epoch": 0, "train/loss": 1e-30},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=5))
def test_floats_come_back_bit_for_bit(values: list[float], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = MetricsFile(tmp_path_factory.mktemp("metrics") / "metrics.csv")
    for step, value in enumerate(values):
        file.append({"step": step, "train/loss": value})
    assert [row["train/loss"] for row in read_rows(file.path)] == values


def test_a_loss_that_is_no_number_is_kept(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    file.append({"step": 1, "train/loss": math.nan})
    assert math.isnan(read_rows(file.path)[0]["train/loss"])


def test_a_step_that_is_repeated_after_a_resume_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    first = MetricsFile(path)
    for step in (1, 2, 3):
        first.append({"step": step, "epoch": 0, "train/loss": float(step)})
    first.append({"step": 2, "epoch": 0, "val/loss": 9.0})
    second = MetricsFile(path)
    for step in (2, 3, 4):
        second.append({"step": step, "epoch": 0, "train/loss": 10.0 + step})
    second.append({"step": 2, "epoch": 0, "val/loss": 8.0})
    rows = read_rows(path)
    assert [(row["step"], row["train/loss"]) for row in rows if "train/loss" in row] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 14),
    ]
    assert [row["val/loss"] for row in rows if "val/loss" in row] == [9.0]


def test_rows_after_the_resumed_step_are_dropped_and_taken_again(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    for step in (1, 2, 3):
        file.append({"step": step, "train/loss": float(step)})
    file.drop_after(1)
    file.append({"step": 2, "train/loss": 20.0})
    assert [row["train/loss"] for row in read_rows(file.path)] == [1.0, 20.0]
    MetricsFile(tmp_path / "none.csv").drop_after(1)
    assert not (tmp_path / "none.csv").exists()


def test_an_unfinished_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,epoch,train/loss\n1,0,0.5\n2,0,0.")
    assert read_rows(path) == [{"step": 1, "epoch": 0, "train/loss": 0.5}]
    MetricsFile(path).append({"step": 2, "epoch": 0, "train/loss": 0.25})
    assert path.read_text() == "step,epoch,train/loss\n1,0,0.5\n2,0,0.25\n"


def test_no_file_has_no_rows_and_a_vanished_folder_is_a_sentence(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "metrics.csv") == []
    with pytest.raises(NotNow, match="cannot be written"):
        MetricsFile(tmp_path / "gone" / "metrics.csv").append({"step": 1, "train/loss": 1.0})
