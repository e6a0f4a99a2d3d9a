"""Proves that each automatic choice follows from the hardware and says why, and that the user's word counts."""

from pathlib import Path

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.training import hardware
from quatrain.training.hardware import (
    choose_accelerator,
    choose_precision,
    choose_threads,
    choose_workers,
    cpu_flags,
    usable_cores,
)


def pretend_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "Pretended 100")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 0)
    accelerator, devices = choose_accelerator("auto", "auto")
    assert (accelerator.value, devices.value) == ("cpu", 1)
    assert "no GPU" in accelerator.reason
    assert choose_accelerator("cpu", 2)[1].value == 2


def test_a_missing_gpu_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 0)
    with pytest.raises(UserError, match=r"trainer.accelerator=gpu: no GPU"):
        choose_accelerator("gpu", 1)


@pytest.mark.parametrize("devices", [3, "3", [0, 2], "0,2"])
def test_too_few_gpus_are_a_sentence(monkeypatch: pytest.MonkeyPatch, devices: int | str | list[int]) -> None:
    pretend_gpus(monkeypatch, 2)
    with pytest.raises(UserError, match=r"needs 3 GPUs and this machine has 2"):
        choose_accelerator("auto", devices)


def test_several_gpus_only_where_the_strategy_spreads(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 4)
    assert [choice.value for choice in choose_accelerator()] == ["gpu", 1]
    assert [choice.value for choice in choose_accelerator(strategy="ddp")] == ["gpu", 4]
    assert choose_accelerator("gpu", -1)[1].value == -1
    assert choose_accelerator("cpu", "auto")[0].value == "cpu"


@pytest.mark.parametrize(
    ("flags", "value"),
    [({"avx512_bf16"}, "bf16-mixed"), ({"amx_bf16"}, "bf16-mixed"), ({"avx512f"}, "32-true"), (set(), "32-true")],
)
def test_precision_follows_the_cpu(monkeypatch: pytest.MonkeyPatch, flags: set[str], value: str) -> None:
    monkeypatch.setattr(hardware, "cpu_flags", lambda: frozenset(flags))
    choice = choose_precision("auto", "cpu")
    assert choice.value == value
    assert "bfloat16" in choice.reason


@pytest.mark.parametrize(("able", "value"), [(True, "bf16-mixed"), (False, "32-true")])
def test_precision_follows_the_gpu(monkeypatch: pytest.MonkeyPatch, able: bool, value: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    assert choose_precision("auto", "gpu").value == value


def test_a_precision_of_the_users_is_handed_on() -> None:
    assert choose_precision("16-mixed", "cpu").value == "16-mixed"
    assert choose_precision(64, "gpu").value == 64


def test_flags_are_read_from_the_first_core(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nmodel name : X\nflags\t\t: fpu amx_bf16 sse\n\nflags : other\n")
    assert cpu_flags(file) == {"fpu", "amx_bf16", "sse"}
    assert cpu_flags(tmp_path / "missing") == frozenset()


def test_cores_are_divided_among_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(hardware, "usable_cores", lambda: 8)
    assert [choose_threads(ranks).value for ranks in (1, 2, 3, 16)] == [8, 4, 2, 1]
    assert choose_threads(2).reason == "8 cores for 2 processes"
    assert choose_threads(2, 3).value == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert choose_threads(2).value == 5


def test_loader_workers_only_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "usable_cores", lambda: 8)
    assert choose_workers("auto", accelerator="cpu").value == 0
    assert choose_workers("auto", accelerator="gpu").value == 4
    assert choose_workers("auto", accelerator="gpu", ranks=4).value == 1
    assert choose_workers(3, accelerator="cpu").value == 3


def test_a_container_quota_counts(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("150000 100000\n")
    assert hardware._quota(file) == 2
    file.write_text("max 100000\n")
    assert hardware._quota(file) is None
    assert hardware._quota(tmp_path / "missing") is None
    assert usable_cores() >= 1
