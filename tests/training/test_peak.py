"""The measured peak: plausible, measured once for each way of computing, and without a trace in the training."""

import json
from pathlib import Path

import pytest
import torch

from quatrain.training import peak
from quatrain.training.peak import Peak, device_peak, in_flops

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "SIDES", (128, 256))
    monkeypatch.setattr(peak, "SECONDS", 0.02)


def test_it_is_about_what_a_product_needs(tmp_path: Path) -> None:
    found = device_peak(CPU, "32-true", folder=tmp_path)
    assert found is not None
    assert 1e8 < found.flops_per_second < 1e14
    threads = torch.get_num_threads()
    assert f"measured with float32 products of 256 x 256 on {threads} thread" in str(found)


def test_it_is_measured_once_for_each_format_and_number_of_processes(tmp_path: Path) -> None:
    first, again = (device_peak(CPU, "bf16-mixed", folder=tmp_path) for _ in range(2))
    assert first is not None
    assert again is not None
    assert again.flops_per_second == first.flops_per_second
    (kept,) = tmp_path.iterdir()
    assert str(kept) in str(again)
    device_peak(CPU, "bf16-mixed", processes=2, folder=tmp_path)
    device_peak(CPU, "32-true", folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"flops_per_second": 0, "how": ""}', '{"flops_per_second": "x"}'])
def test_a_damaged_file_is_measured_again(tmp_path: Path, text: str) -> None:
    device_peak(CPU, "32-true", folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(text)
    found = device_peak(CPU, "32-true", folder=tmp_path)
    assert found is not None
    assert json.loads(kept.read_text())["flops_per_second"] == found.flops_per_second


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert device_peak(CPU, "32-true", folder=tmp_path / "file" / "peaks") is not None


def test_what_cannot_be_measured_is_unknown(tmp_path: Path) -> None:
    assert device_peak(CPU, "transformer-engine", folder=tmp_path) is None
    assert device_peak(torch.device("meta"), "32-true", folder=tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_random_numbers_of_the_training_stay_what_they_are(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    device_peak(CPU, "32-true", folder=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("value", "said"), [(8.7e11, "870 GFLOP/s"), (6.543e14, "654 TFLOP/s"), (1.2e15, "1.2 PFLOP/s"), (5e6, "5 MFLOP/s")]
)
def test_units(value: float, said: str) -> None:
    assert in_flops(value) == said
    assert str(Peak(value, "measured")) == f"peak: {said}, measured"
