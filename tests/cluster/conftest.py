"""A real Slurm of one node on this machine, for as long as these tests run. Needs root, slurm-wlm and munge."""

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
