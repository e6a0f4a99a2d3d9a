"""A job that Slurm warns of its end saves, is queued again by exactly one party, and goes on to the same end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.config.compose import compose
from quatrain.runs.comparison import OF_TIME
from quatrain.runs.directory import RunDirectory

from .conftest import Slurm, answer, wait_for

SMALL = [
    "data.verse_size=300",
    "data.batch_size=16",
    "trainer.max_steps=90",
    "run.report=false",
    "trainer.log_every_n_steps=1",
    "trainer.limit_val_batches=4",
    "trainer=ddp_cpu",
    "trainer.devices=2",
    "speed.precision=32-true",
]
SUBMITIT = """
import sys
import submitit

class Job:
    def __call__(self, run):
        from quatrain.runs.attempts import work
        from quatrain.runs.directory import load_run
        return work(load_run(run))

    def checkpoint(self, run):
        return submitit.helpers.DelayedSubmission(self, run)

executor = submitit.AutoExecutor(folder=sys.argv[2], cluster="slurm", slurm_max_num_timeout=3)
executor.update_parameters(timeout_min=20, cpus_per_task=1)
print(executor.submit(Job(), sys.argv[1]).job_id)
"""


def rows(run: RunDirectory) -> list[tuple[object, ...]]:
    return [
        tuple((name, value) for name, value in row.items() if not name.endswith(OF_TIME)) for row in run.read_metrics()
    ]


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run with no cluster and no signal."""
    run = RunDirectory.create(tmp_path_factory.mktemp("unbroken") / "run", compose(SMALL), SMALL)
    subprocess.run([sys.executable, "-m", "quatrain.worker", str(run.path)], check=True, capture_output=True)
    return run


def preempt_and_finish(slurm: Slurm, job: str, run: RunDirectory, signal: str) -> None:
    """Send the warning in the midst of the training, see that the job waits again, let it start, see it done."""
    assert wait_for(lambda: len(rows(run)) > 20 if run.metrics_file.exists() else False, 120)
    slurm.warn(job, signal)
    assert wait_for(lambda: slurm.queue() == {job: "PD"}, 40)
    assert run.status().status == "interrupted"
    assert slurm.restarts(job) == "1"
    slurm.start_now(job)
    assert wait_for(lambda: run.status().status == "done", 120)
    assert wait_for(lambda: slurm.restarts(job) == "1", 5), "queued again once, by one"


def test_a_warned_job_is_queued_again_and_goes_on_in_its_folder(
    slurm: Slurm, tmp_path: Path, unbroken: RunDirectory
) -> None:
    script = tmp_path / "job.sh"
    words = " ".join([*SMALL, f"run.root={tmp_path}"])
    script.write_text(
        "#!/bin/bash\n#SBATCH --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --open-mode=append --requeue\n"
        f"#SBATCH --output={tmp_path}/words.txt\n"
        f"srun --kill-on-bad-exit=0 {sys.executable} -m quatrain train {words}\n"
    )
    job = answer("sbatch", "--parsable", str(script)).strip()
    assert wait_for(lambda: any(tmp_path.glob("quick_sonnets/*/metrics.csv")), 120)
    [folder] = tmp_path.glob("quick_sonnets/*")
    run = RunDirectory(folder)
    preempt_and_finish(slurm, job, run, "USR1")
    assert [run.path] == list(tmp_path.glob("quick_sonnets/*")), "both ranks, before and after, share one folder"
    assert rows(run) == rows(unbroken)


def test_under_submitit_it_is_submitit_that_queues_it_again(
    slurm: Slurm, tmp_path: Path, unbroken: RunDirectory
) -> None:
    pytest.importorskip("submitit", reason="could not run: pip install 'quatrain[slurm]'")
    alone = [word for word in SMALL if not word.startswith("trainer.devices") and word != "trainer=ddp_cpu"]
    run = RunDirectory.create(tmp_path / "run", compose(alone), alone)
    again = RunDirectory.create(tmp_path / "unbroken", compose(alone), alone)
    script = tmp_path / "submit.py"
    script.write_text(SUBMITIT)
    sent = subprocess.run(
        [sys.executable, str(script), str(run.path), str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    preempt_and_finish(slurm, sent.stdout.split()[-1], run, "USR2")
    words = "".join(path.read_text() for path in (tmp_path / "log").glob("*_log.out"))
    assert words.count("Requeued job") == 1
    subprocess.run([sys.executable, "-m", "quatrain.worker", str(again.path)], check=True, capture_output=True)
    assert rows(run) == rows(again)
