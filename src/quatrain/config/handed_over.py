"""What a job of a sweep takes along to wherever a launcher of others runs it, and what it does there."""

import hashlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quatrain.core.atomic_files import write_whole
from quatrain.core.errors import UserError
from quatrain.runs.cluster import no_rank_of_slurm, tasks_of_slurm
from quatrain.runs.identity import is_alive, start_of
from quatrain.runs.leader import is_leader
from quatrain.sweeps.job import Ended, Job

FOLDER = ".jobs"
"""The folder of a sweep that holds the configs of its jobs as they were checked when it was launched."""

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Starter:
    """The process of the command that launched a sweep."""

    host: str
    pid: int
    start: str

    @classmethod
    def here(cls) -> "Starter":
        """This process."""
        return cls(socket.gethostname(), os.getpid(), start_of(os.getpid()) or "")

    @property
    def is_gone(self) -> bool:
        """Whether it has ended; false on other hosts, from where it cannot be seen."""
        return self.host == socket.gethostname() and not is_alive(self.pid, self.start)


@dataclass(frozen=True)
class HandedOver:
    """The jobs of a sweep on their way.

    Each was composed and checked before the first was launched, and is run as it was then, however long it waits: its
    config is read from the sweep's folder, not composed a second time.

    Args:
        root: the sweep's folder, absolute: what all machines share.
        here: the launch folder, in which jobs run.
        variables: of the environment, for launchers whose processes do not inherit it.
        starter: a process that the jobs do not outlive; None where they do, as under Slurm.
        threads: how many each job has, where the launcher does not divide them.
    """

    root: Path
    here: Path
    variables: Mapping[str, str]
    starter: Starter | None
    threads: int | None = None

    def give(self, job: Job) -> None:
        """Lay a job ready, on the side of the command."""
        path = self._config(job.overrides)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, yaml.safe_dump(dict(job.config), sort_keys=False, allow_unicode=True))

    def ask_to_stop(self) -> None:
        """Have the jobs that run end with a checkpoint, and no other begin."""
        self._stop.touch()

    def run(self, overrides: Sequence[str], number: int) -> Ended:
        """Run a job where the launcher has brought it; return how it ended.

        Raises:
            UserError: the sweep's folder cannot be read there.
        """
        from quatrain.config.launching import run_job

        os.chdir(self.here)
        os.environ.update(self.variables)
        if threads := self.threads or int(os.environ.get("SLURM_CPUS_PER_TASK", "0")):
            os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        config = self._take(overrides)
        job = Job(number, config, list(overrides))
        if self.starter and self._is_over(self.starter):
            return Ended(job, "interrupted", None, "The sweep was asked to stop.")
        if self.starter:
            threading.Thread(target=self._watch, args=(self.starter,), name="sweep", daemon=True).start()
        if tasks_of_slurm() > 1 and ranks_of(config) in (tasks_of_slurm(), None):
            return run_job(config, list(overrides), self.root, number)
        if not is_leader():  # Slurm has started more tasks than this job has use for
            return Ended(job, "done", None, skipped=True)
        with no_rank_of_slurm():
            return run_job(config, list(overrides), self.root, number)

    def _watch(self, starter: Starter) -> None:
        """Have this job stop when the sweep is over; asked more than once, for at its very beginning it is deaf."""
        while not self._is_over(starter):
            time.sleep(POLL_SECONDS)
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(4 * POLL_SECONDS)

    def _is_over(self, starter: Starter) -> bool:
        return self._stop.exists() or starter.is_gone

    def _take(self, overrides: Sequence[str]) -> dict[str, Any]:
        path = self._config(overrides)
        try:
            config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(
                f"{path} cannot be read on {socket.gethostname()} ({error.strerror}); the folder of a sweep must be one"
                " that all machines share: name it with hydra.sweep.dir=DIR."
            ) from error
        return config

    def _config(self, overrides: Sequence[str]) -> Path:
        name = hashlib.sha256(json.dumps(list(overrides)).encode()).hexdigest()[:16]
        return self.root / FOLDER / f"{name}.yaml"

    @property
    def _stop(self) -> Path:
        who = self.starter or Starter.here()
        return self.root / FOLDER / f"stop-{who.host}-{who.pid}-{who.start}"


def run_here(_: Any, sweep: HandedOver) -> dict[str, Any]:
    """What launchers other than ours call for each job, wherever they run it; return plain values, which travel."""
    from hydra.core.hydra_config import HydraConfig

    settings = HydraConfig.get()
    overrides = [str(text).removeprefix("++") for text in settings.overrides.task]
    ended = sweep.run(overrides, int(settings.job.num))
    return {
        "status": ended.status,
        "run": ended.run and str(ended.run.path),
        "why": ended.why,
        "seconds": ended.seconds,
        "skipped": ended.skipped,
    }


def ranks_of(config: Mapping[str, Any]) -> int | None:
    """How many processes train on all nodes; None where only the machine knows."""
    from quatrain.sweeps.dealing import device_count

    devices = device_count(config)
    return None if devices is None else devices * (config["trainer"]["num_nodes"] or 1)
