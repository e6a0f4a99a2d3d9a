"""The same sweep under Slurm as on this machine: same losses, several ranks and nodes, and on after a warning."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.config.compose import compose
from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory
from quatrain.runs.naming import identity_hash

from .conftest import Slurm, answer, wait_for

pytest.importorskip("submitit", reason="could not run: pip install 'quatrain[slurm]'")

SMALL = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    "trainer.max_steps=4",
    "run.report=false",
    "trainer.limit_val_batches=2",
    "trainer.log_every_n_steps=1",
    "trainer.accelerator=cpu",
    "speed.precision=32-true",
)
SLURM = ("hydra/launcher=submitit_slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")


def sweep(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "quatrain", "train", "-m", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


Key = tuple[int, int]
"""The seed and the number of ranks of a job."""


def rows(run: RunDirectory) -> list[dict[str, float]]:
    """All that is logged but for what depends on the machine's load."""
    return [{name: value for name, value in row.items() if not name.endswith(OF_TIME)} for row in run.read_metrics()]


def losses(root: Path) -> dict[Key, object]:
    """Every row of every job."""
    found = {}
    for path in root.glob("*/metrics.csv"):
        run = RunDirectory(path.parent)
        config = run.read_config()
        assert run.status().status == "done"
        found[config["seed"], config["trainer"]["devices"] * config["trainer"]["num_nodes"]] = rows(run)
    return found


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[Key, object]:
    """Jobs of one and of two processes, as this machine runs them."""
    folder = tmp_path_factory.mktemp("alone")
    done = sweep(folder, *SMALL, "seed=1,2", "trainer=ddp_cpu", "trainer.devices=1,2", "hydra.sweep.dir=s")
    assert done.returncode == 0, done.stderr
    return losses(folder / "s")


def test_a_sweep_of_four_jobs_with_one_rank_and_with_two(
    slurm: Slurm, alone: dict[Key, object], tmp_path: Path
) -> None:
    """Two tasks of Slurm are the ranks of a job that has two; those of a job that has one leave it to the first."""
    words = (*SMALL, "seed=1,2", "trainer=ddp_cpu", "trainer.devices=1,2", "hydra.sweep.dir=s", *SLURM)
    done = sweep(tmp_path, *words, "hydra.launcher.tasks_per_node=2")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 jobs done" in done.stderr
    assert len(alone) == 4
    assert losses(tmp_path / "s") == alone
    logs = [path.read_text() for path in (tmp_path / "s" / ".submitit").glob("*/*_1_log.out")]
    assert len(logs) == 4, "the second task of each"
    again = sweep(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    assert "go to" not in again.stderr, "what is done is not queued again"


def test_two_nodes_train_one_job(slurm: Slurm, alone: dict[Key, object], tmp_path: Path) -> None:
    """Two ranks on two nodes give what two on one give. The identity differs, for the number of nodes is in it."""
    words = (*SMALL, "seed=2", "trainer=ddp_cpu", "trainer.devices=1", "trainer.num_nodes=2", "hydra.sweep.dir=s")
    refused = sweep(tmp_path, *words, *SLURM)
    assert refused.returncode == 2
    assert "trainer.num_nodes=2, but hydra.launcher.nodes=1" in refused.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is written before all fits"
    done = sweep(tmp_path, *words, *SLURM, "hydra.launcher.nodes=2")
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "s") == {(2, 2): alone[2, 2]}


def test_a_warned_job_of_a_sweep_is_queued_again_by_submitit_and_goes_on(slurm: Slurm, tmp_path: Path) -> None:
    """One of two, while the command waits for both: the same end, bit for bit, as the same job run alone.

    The other starts two ranks itself, in one task.
    """
    long = [*(word for word in SMALL if "max_steps" not in word), "trainer.max_steps=300", "trainer.max_epochs=20"]
    alone = RunDirectory.create(tmp_path / "alone", compose([*long, "seed=1"]), long)
    subprocess.run([sys.executable, "-m", "quatrain.worker", str(alone.path)], check=True, capture_output=True)
    words = [*long, "seed=1", "trainer.devices=1,2", "hydra.sweep.dir=s", *SLURM]
    command = subprocess.Popen(
        [sys.executable, "-m", "quatrain", "train", "-m", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert wait_for(lambda: any(tmp_path.glob(f"s/*-{identity_hash(alone.read_config())}/metrics.csv")), 120)
    run = RunDirectory(next(tmp_path.glob(f"s/*-{identity_hash(alone.read_config())}")))
    assert wait_for(lambda: len(rows(run)) > 20, 120)
    job = next(name for name in slurm.queue() if name.endswith("_0"))
    slurm.warn(job, "USR2")
    assert wait_for(lambda: slurm.queue().get(job) == "PD", 40)
    assert run.status().status == "interrupted"
    slurm.start_now(job)
    _, said = command.communicate(timeout=150)
    assert command.returncode == 0, said
    assert "2 of 2 jobs done" in said
    assert rows(run) == rows(alone)
    log = "".join(path.read_text() for path in (tmp_path / "s" / ".submitit").glob("*/*_log.out"))
    assert log.count("Requeued job") == 1, "queued again once, by one"


def test_the_jobs_stay_with_slurm_when_the_command_is_ended(slurm: Slurm, tmp_path: Path) -> None:
    long = [*(word for word in SMALL if "max_steps" not in word), "trainer.max_steps=20000", "trainer.max_epochs=2000"]
    command = subprocess.Popen(
        [sys.executable, "-m", "quatrain", "train", "-m", *long, "seed=1", "hydra.sweep.dir=s", *SLURM],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_for(lambda: any(tmp_path.glob("s/*/metrics.csv")), 120)
    run = RunDirectory(next(tmp_path.glob("s/*/metrics.csv")).parent)
    [job] = slurm.queue()
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 75, said
    assert f"scancel {job}." in said
    assert slurm.queue() == {job: "R"}
    answer("scancel", job)
    assert wait_for(lambda: not slurm.queue(), 60)
    assert run.status().status == "interrupted"
    assert any(run.checkpoints.glob("step-*.ckpt")), "it has saved"
