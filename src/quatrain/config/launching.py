"""Running one job of a sweep where a launcher other than ours has put it: a process on this machine or another."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from quatrain.core.errors import UserError
from quatrain.runs.attempts import work
from quatrain.runs.cluster import in_job
from quatrain.runs.directory import RunDirectory
from quatrain.runs.leader import is_leader
from quatrain.runs.processes import start_worker
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.one_job import run_job as run_once
from quatrain.sweeps.one_job import sweep_begins
from quatrain.sweeps.ranks import Announcement
from quatrain.sweeps.schedule import POLL_SECONDS


def run_job(config: dict[str, Any], overrides: list[str], root: Path, number: int) -> Ended:
    """Run one job of the sweep in ``root``, in a worker of its own, and return how it ended.

    Where another process works on the same job, it waits for the end of that. Of the ranks that a cluster has started
    for one job the leading one decides, and the others join in.
    """
    job = Job(number, config, overrides)
    ranks = Announcement(job, root) if in_job() else None
    if ranks and not is_leader():
        return _join(job, ranks)

    def start(run_dir: str | Path, *, environment: Mapping[str, str] | None = None) -> int:
        if ranks:
            ranks.say(run_dir)
        return start_worker(run_dir, environment=environment)

    since = sweep_begins(root)
    while (ended := run_once(job, root, start=start, on_lost=_give_up, since=since)) is None:
        if ranks:
            ranks.still_waiting()
        time.sleep(POLL_SECONDS)
    if ranks:
        ranks.say(None)
    return ended


def _join(job: Job, ranks: Announcement) -> Ended:
    """Work as one of several ranks on whatever the leading one begins."""
    began, run = time.monotonic(), None
    try:
        for place in ranks.heard():
            run = RunDirectory(place)
            work(run)
        status = run.status() if run else None
    except UserError as error:
        return Ended(job, "failed", run, str(error), time.monotonic() - began)
    if status is None:
        return Ended(job, "done", None, skipped=True)
    return Ended(job, status.status, run, status.why, time.monotonic() - began)


def _give_up() -> NoReturn:
    """End this process, and with it the worker, at once: another host works on the job."""
    print("error: This process was silent for too long, and another host took its job over.", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)
