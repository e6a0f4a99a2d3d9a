"""A job that Slurm warns of its end saves, is queued again by exactly one party, and goes on to the same end.

Makes a real Slurm of one node on this machine, for as long as these tests run. Needs root, slurm-wlm and munge.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quatrain.config.compose import compose
from quatrain.runs.directory import RunDirectory

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol")
PORT = 26817
CONFIG = """\
ClusterName=local
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
SlurmdPort={next_port}
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
ReturnToService=2
KillWait=20
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cores} SocketsPerBoard=1 CoresPerSocket={cores} RealMemory={memory}
PartitionName=cpu Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def wait_for(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def answer(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the three services; yield a folder. Skips, with the reason, where they cannot run."""
    if missing := [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"could not run: {', '.join(missing)} not installed (Debian: slurm-wlm, munge)")
    if os.geteuid() != 0:
        pytest.skip("could not run: needs root")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    numbers = {"cores": os.cpu_count(), "memory": pages - 1024, "port": PORT, "next_port": PORT + 1}
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, **numbers))
    os.environ["SLURM_CONF"] = str(config)
    services = []
    try:
        if not answer("munge", "-n"):
            Path("/run/munge").mkdir(exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            services.append(_service(folder, "runuser", "-u", "munge", "--", "/usr/sbin/munged", "-F", "--force"))
            wait_for(lambda: bool(answer("munge", "-n")), 10)
        services.append(_service(folder, "/usr/sbin/slurmctld", "-D", "-f", str(config)))
        services.append(_service(folder, "/usr/sbin/slurmd", "-D", "-N", "localhost", "-f", str(config)))
        if not wait_for(lambda: "idle" in answer("sinfo", "-h", "-o", "%T"), 30):
            pytest.skip(f"could not run: no idle node within 30 s\n{(folder / 'slurmctld.log').read_text()[-2000:]}")
        yield folder
    finally:
        answer("scancel", "-u", "root")
        for service in reversed(services):
            service.terminate()
            service.wait(20)
        del os.environ["SLURM_CONF"]


def _service(folder: Path, *command: str) -> "subprocess.Popen[bytes]":
    with (folder / "services.log").open("ab") as words:
        return subprocess.Popen(command, stdout=words, stderr=words, start_new_session=True)


SMALL = [
    "data.verse_size=300",
    "data.batch_size=16",
    "trainer.max_steps=90",
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
        tuple((name, value) for name, value in row.items() if name != "train/tokens_per_second")
        for row in run.read_metrics()
    ]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run with no cluster and no signal."""
    run = RunDirectory.create(tmp_path_factory.mktemp("unbroken") / "run", compose(SMALL), SMALL)
    subprocess.run([sys.executable, "-m", "quatrain.worker", str(run.path)], check=True, capture_output=True)
    return run


def preempt_and_finish(job: str, run: RunDirectory, signal: str) -> None:
    """Send the warning in the midst of the training, see that the job waits again, let it start, see it done."""
    assert wait_for(lambda: len(rows(run)) > 20 if run.metrics.exists() else False, 120)
    answer("scancel", f"--signal={signal}", job)
    assert wait_for(lambda: answer("squeue", "-h", "-o", "%i %t").split() == [job, "PD"], 40)
    assert run.status().status == "interrupted"
    assert "Restarts=1" in answer("scontrol", "show", "job", job)
    answer("scontrol", "update", f"jobid={job}", "StartTime=now")
    assert wait_for(lambda: run.status().status == "done", 120)
    assert wait_for(lambda: "Restarts=1" in answer("scontrol", "show", "job", job), 5), "queued again once, by one"


def test_a_warned_job_is_queued_again_and_goes_on_in_its_folder(
    slurm: Path, tmp_path: Path, unbroken: RunDirectory
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
    preempt_and_finish(job, run, "USR1")
    assert [run.path] == list(tmp_path.glob("quick_sonnets/*")), "both ranks, before and after, share one folder"
    assert rows(run) == rows(unbroken)


def test_under_submitit_it_is_submitit_that_queues_it_again(
    slurm: Path, tmp_path: Path, unbroken: RunDirectory
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
    preempt_and_finish(sent.stdout.split()[-1], run, "USR2")
    words = "".join(path.read_text() for path in (tmp_path / "log").glob("*_log.out"))
    assert words.count("Requeued job") == 1
    subprocess.run([sys.executable, "-m", "quatrain.worker", str(again.path)], check=True, capture_output=True)
    assert rows(run) == rows(again)
