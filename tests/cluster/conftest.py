"""A real Slurm of two nodes on this machine, for as long as these tests run. Needs root, slurm-wlm and munge.

The nodes are two ``slurmd`` with a port each. Their names lead nowhere, so ``MASTER_ADDR`` tells ranks where the first
is.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol")
PORT = 26817
CONFIG = """\
ClusterName=local
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
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
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
{nodes}
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODES = ("one", "two")
NODE = "NodeName={name} NodeHostName={name} NodeAddr=127.0.0.1 Port={port} CPUs={cores} RealMemory={memory}"


def wait_for(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def answer(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout


class Slurm:
    """What tests ask of the cluster."""

    def queue(self) -> dict[str, str]:
        """The jobs that wait or run, with their states in short."""
        return dict(line.split() for line in answer("squeue", "-r", "-h", "-o", "%i %t").splitlines())

    def warn(self, job: str, signal: str) -> None:
        answer("scancel", f"--signal={signal}", job)

    def start_now(self, job: str) -> None:
        """Let a job go that was queued again: Slurm would hold it for two minutes."""
        answer("scontrol", "update", f"jobid={job}", "StartTime=now")

    def restarts(self, job: str) -> str:
        words = answer("scontrol", "show", "job", job).split()
        return next((word.partition("=")[2] for word in words if word.startswith("Restarts=")), "unknown")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Start the services. Skips, with the reason, where they cannot run."""
    if missing := [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"could not run: {', '.join(missing)} not installed (Debian: slurm-wlm, munge)")
    if os.geteuid() != 0:
        pytest.skip("could not run: needs root")
    folder = tmp_path_factory.mktemp("slurm")
    config = _configure(folder)
    os.environ["SLURM_CONF"] = str(config)
    services = []
    try:
        if not answer("munge", "-n"):
            Path("/run/munge").mkdir(exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            services.append(_service(folder, "runuser", "-u", "munge", "--", "/usr/sbin/munged", "-F", "--force"))
            wait_for(lambda: bool(answer("munge", "-n")), 10)
        services.append(_service(folder, "/usr/sbin/slurmctld", "-D", "-f", str(config)))
        services += [_service(folder, "/usr/sbin/slurmd", "-D", "-N", node, "-f", str(config)) for node in NODES]
        if not wait_for(lambda: answer("sinfo", "-N", "-h", "-o", "%T").split() == ["idle"] * len(NODES), 30):
            told = answer("sinfo", "-N", "-h") + (folder / "slurmctld.log").read_text()[-2000:]
            pytest.skip(f"could not run: the nodes are not idle within 30 s\n{told}")
        yield Slurm()
    finally:
        answer("scancel", "-u", "root")
        for service in reversed(services):
            service.terminate()
            service.wait(20)
        del os.environ["SLURM_CONF"]


def _configure(folder: Path) -> Path:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    lines = [
        NODE.format(name=name, port=PORT + place, cores=os.cpu_count(), memory=pages - 1024)
        for place, name in enumerate(NODES, start=1)
    ]
    (folder / "state").mkdir()
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, port=PORT, nodes="\n".join(lines)))
    return config


def _service(folder: Path, *command: str) -> "subprocess.Popen[bytes]":
    with (folder / "services.log").open("ab") as words:
        return subprocess.Popen(command, stdout=words, stderr=words, start_new_session=True)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
