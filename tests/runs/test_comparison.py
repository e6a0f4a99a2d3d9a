"""Two metrics files and two exports are compared to the bit, and the first difference is found by its step."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from quatrain.core.errors import UserError
from quatrain.runs.comparison import compare_metrics
from quatrain.runs.weights_comparison import compare_weights

Row = dict[str, float]


def rows(*losses: float, val: float = 0.5) -> list[Row]:
    training = [
        {"step": step, "epoch": 0, "train/loss": loss, "train/tokens_per_second": step * 3.7}
        for step, loss in enumerate(losses, start=1)
    ]
    return [*training, {"step": len(losses), "epoch": 0, "val/loss": val}]


def test_equal_rows_are_identical_and_speed_is_not_compared() -> None:
    slower = [{name: 1.0 if "second" in name else value for name, value in row.items()} for row in rows(3.0, 2.0)]
    found = compare_metrics(rows(3.0, 2.0), slower)
    assert (found.values, found.last_step, found.differing, found.largest) == (3, 2, (), None)


def test_the_first_and_the_largest_difference() -> None:
    found = compare_metrics(rows(3.0, 2.0, 1.0), rows(3.0, 2.5, 4.0, val=0.5000001))
    first, *_ = found.differing
    assert (first.step, first.metric, first.original, first.reproduced) == (2, "train/loss", 2.0, 2.5)
    assert (first.absolute, first.relative) == (0.5, 0.2)
    assert len(found.differing) == 3
    assert found.largest is not None
    assert (found.largest.step, found.largest.relative) == (3, 0.75)
    assert "step 2, train/loss: 2.0 in the original, 2.5 now (by 0.5, relative 0.2)" in str(first)


def test_one_bit_is_a_difference_and_two_nans_are_none() -> None:
    assert compare_metrics(rows(1.0), rows(math.nextafter(1.0, 2.0))).differing
    assert compare_metrics(rows(0.0), rows(-0.0)).differing
    assert not compare_metrics(rows(math.nan), rows(math.nan)).differing
    found = compare_metrics(rows(1.0, 9.0), rows(math.nan, 1.0))
    assert found.largest is not None
    assert found.largest.step == 1


def test_rows_that_only_one_run_has() -> None:
    found = compare_metrics(rows(3.0, 2.0), rows(3.0))
    assert [(one.step, one.metric, one.absolute) for one in found.differing] == [
        (1, "val/loss", None),
        (2, "train/loss", None),
        (2, "val/loss", None),
    ]
    assert "only in the original" in str(found.differing[1])
    assert found.largest is None


def test_a_stopped_original_is_compared_up_to_its_last_step() -> None:
    stopped = [*rows(3.0, 2.0)[:2]]
    found = compare_metrics(stopped, rows(3.0, 2.0, 1.0), finished=False)
    assert (found.values, found.last_step, found.differing) == (2, 2, ())
    with_validation = compare_metrics(rows(3.0, 2.0), rows(3.0, 2.0, 1.0), finished=False)
    assert not with_validation.differing
    assert compare_metrics(stopped, rows(3.0, 2.5, 1.0), finished=False).differing
    assert compare_metrics(stopped, rows(3.0)[:1], finished=False).differing


def test_a_run_that_was_trained_on_is_compared_as_far_as_both_go() -> None:
    assert not compare_metrics(rows(3.0, 2.0, 1.0)[:3], rows(3.0, 2.0)[:2], finished=False, until=2).differing


def export(folder: Path, **tensors: torch.Tensor) -> Path:
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_weights_are_compared_tensor_by_tensor(tmp_path: Path) -> None:
    one = export(tmp_path / "one", a=torch.zeros(3), b=torch.ones(2), c=torch.ones(2), d=torch.zeros(1))
    same = export(tmp_path / "same", a=torch.zeros(3), b=torch.ones(2), c=torch.ones(2), d=torch.zeros(1))
    other = export(tmp_path / "other", a=torch.tensor([0, 0, 0.25]), b=torch.ones(2), c=torch.ones(3), e=torch.zeros(1))
    found = compare_weights(one, same)
    assert found is not None
    assert (found.tensors, found.differing, found.largest) == (4, (), None)
    found = compare_weights(one, other)
    assert found is not None
    assert [line.partition(":")[0] for line in found.differing] == ["a", "c", "d", "e"]
    assert (found.largest, found.largest_in) == (0.25, "a")


def test_another_header_alone_is_no_difference(tmp_path: Path) -> None:
    one, other = export(tmp_path / "one", a=torch.zeros(3)), tmp_path / "other"
    other.mkdir()
    save_file({"a": torch.zeros(3)}, other / "model.safetensors", metadata={"made": "later"})
    found = compare_weights(one, other)
    assert found is not None
    assert found.differing == ()


def test_no_export_and_a_broken_one(tmp_path: Path) -> None:
    one = export(tmp_path / "one", a=torch.zeros(3))
    assert compare_weights(one, tmp_path / "none") is None
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"\xff" * 16)
    with pytest.raises(UserError, match="cannot be compared"):
        compare_weights(one, broken)
