"""Proves how the cores and GPUs of a machine are dealt out to jobs, and which job needs ranks of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from quatrain.sweeps.dealing import GPUS, THREADS, Dealer, is_single, visible_gpus
from quatrain.sweeps.job import Job

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def _no_threads_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREADS, raising=False)


def test_one_job_at_a_time_gets_the_machine_as_it_is(a_job: MakeJob) -> None:
    share = Dealer(1, cores=8, gpus=["0", "1"]).take(a_job(trainer={"accelerator": "gpu"}).config)
    assert share
    assert (share.gpus, share.environment) == ((), {})


@pytest.mark.parametrize(
    ("cores", "jobs", "devices", "threads"),
    [(8, 2, 1, "4"), (8, 2, 2, "2"), (2, 2, 1, "1"), (2, 8, 1, "1"), (8, 3, "auto", "2"), (1, 2, 4, "1")],
)
def test_cores_are_divided_among_jobs_and_their_ranks(
    a_job: MakeJob, cores: int, jobs: int, devices: object, threads: str
) -> None:
    share = Dealer(jobs, cores=cores, gpus=[]).take(a_job(trainer={"devices": devices}).config)
    assert share
    assert share.environment == {THREADS: threads}


def test_threads_that_the_user_has_set_stay(a_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "3")
    share = Dealer(2, cores=8, gpus=["0"]).take(a_job(trainer={"accelerator": "gpu"}).config)
    assert share
    assert share.environment == {GPUS: "0"}


def test_gpus_are_dealt_and_given_back(a_job: MakeJob) -> None:
    dealer = Dealer(4, cores=8, gpus=["0", "1", "2"])
    on_gpus = a_job(trainer={"accelerator": "gpu", "devices": 2}).config
    first = dealer.take(on_gpus)
    assert first
    assert first.environment[GPUS] == "0,1"
    assert dealer.take(on_gpus) is None
    third = dealer.take(a_job(trainer={"accelerator": "auto"}).config)
    assert third
    assert third.gpus == ("2",)
    on_cpu = dealer.take(a_job(trainer={"accelerator": "cpu"}).config)
    assert on_cpu
    assert GPUS not in on_cpu.environment
    dealer.give_back(first)
    dealer.give_back(third)
    assert dealer.take(a_job(trainer={"accelerator": "gpu", "devices": -1}).config) == dealer.__class__(
        4, cores=8, gpus=["0", "1", "2"]
    ).take(a_job(trainer={"accelerator": "gpu", "devices": 3}).config)


@pytest.mark.parametrize(
    ("trainer", "wanted"),
    [
        ({"devices": 1}, 1),
        ({"devices": "auto"}, 1),
        ({"devices": "auto", "strategy": "ddp"}, 4),
        ({"devices": -1}, 4),
        ({"devices": "-1"}, 4),
        ({"devices": "2"}, 2),
        ({"devices": [1, 3]}, 2),
        ({"devices": "1,3"}, 2),
        ({"devices": "1,"}, 1),
        ({"devices": 9}, 4),
        ({"devices": 2, "accelerator": "cpu"}, 0),
        ({"devices": 2, "accelerator": "mps"}, 0),
        ({"devices": 2, "accelerator": "cuda"}, 2),
        ({"devices": 2, "accelerator": "auto"}, 2),
    ],
)
def test_how_many_gpus_a_job_gets(a_job: MakeJob, trainer: dict[str, Any], wanted: int) -> None:
    """As many as it would train on; all where it asks for more, and says itself what is wrong."""
    share = Dealer(2, cores=8, gpus=["0", "1", "2", "3"]).take(a_job(trainer={"accelerator": "gpu"} | trainer).config)
    assert share
    assert len(share.gpus) == wanted


@pytest.mark.parametrize("devices", [[1, 3], "1,3"])
def test_gpus_that_a_job_names_are_the_ones_it_gets(a_job: MakeJob, devices: object) -> None:
    """It names them among all that are visible, and so must see all."""
    dealer = Dealer(3, cores=8, gpus=["4", "5", "6", "7"])
    config = a_job(trainer={"accelerator": "gpu", "devices": devices}).config
    share = dealer.take(config)
    assert share
    assert share.gpus == ("5", "7")
    assert GPUS not in share.environment
    assert dealer.take(config) is None
    other = dealer.take(a_job(trainer={"accelerator": "gpu", "devices": 2}).config)
    assert other
    assert other.environment[GPUS] == "4,6"


@pytest.mark.parametrize(
    ("trainer", "gpus", "single"),
    [
        ({"devices": 1}, 0, True),
        ({"devices": 1, "strategy": "ddp"}, 4, True),
        ({"devices": "1"}, 0, True),
        ({"devices": "auto"}, 0, True),
        ({"devices": "auto"}, 4, True),
        ({"devices": "auto", "strategy": "ddp"}, 4, False),
        ({"devices": "auto", "strategy": "ddp"}, 0, True),
        ({"devices": -1}, 4, False),
        ({"devices": 2}, 0, False),
        ({"devices": "2"}, 4, False),
        ({"devices": [0, 1]}, 4, False),
        ({"devices": [3]}, 4, True),
        ({"devices": "3,"}, 4, True),
        ({"devices": "0,1"}, 4, False),
        ({"devices": 1, "num_nodes": 2}, 0, False),
    ],
)
def test_which_job_starts_no_ranks_of_its_own(a_job: MakeJob, trainer: dict[str, Any], gpus: int, single: bool) -> None:
    assert is_single(a_job(trainer=trainer).config, gpus) == single


@pytest.mark.parametrize(
    ("named", "gpus"),
    [("", []), ("2", ["2"]), ("GPU-ab, GPU-cd", ["GPU-ab", "GPU-cd"]), ("-1", []), ("1,-1,0", ["1"])],
)
def test_the_user_names_the_visible_gpus(monkeypatch: pytest.MonkeyPatch, named: str, gpus: list[str]) -> None:
    monkeypatch.setenv(GPUS, named)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("driver", "gpus"),
    [
        ("echo 'GPU 0: NVIDIA (UUID: GPU-1)'; echo 'GPU 1: NVIDIA (UUID: GPU-2)'", ["0", "1"]),
        ("echo 'No devices were found'; exit 6", []),
        (None, []),
    ],
)
def test_the_driver_is_asked_for_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, driver: str | None, gpus: list[str]
) -> None:
    monkeypatch.delenv(GPUS, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if driver is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{driver}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    assert visible_gpus() == gpus
