"""The ranks that a cluster starts for one job of a sweep: the leading one decides, the others join its runs."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from quatrain.core.atomic_files import write_whole
from quatrain.core.errors import NotNow
from quatrain.runs.naming import time_part
from quatrain.sweeps.job import Job
from quatrain.sweeps.places import claim_file

PATIENCE = 300.0
"""Seconds of silence after which a rank gives the leading one up."""

POLL_SECONDS = 0.2

RESTARTS = ("SLURM_RESTART_COUNT", "TORCHELASTIC_RESTART_COUNT")
"""How often a job was started anew, under one name."""


class Announcement:
    """What the leading rank of a job says to the others: a file beside the job's claim, one for each start of the job.

    It has a turn, which counts the runs that were begun, and the run directory; none at the end.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        again = [os.environ.get(name, "0") for name in RESTARTS]
        claim = claim_file(job, folder)
        self._path = claim.with_name(".".join([claim.name, time_part(), *again]))
        self._turn = 0

    def say(self, run_dir: str | Path | None) -> None:
        """The ranks may begin to work on ``run_dir``; None: there is nothing more to do."""
        self._turn += 1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, json.dumps({"turn": self._turn, "run": run_dir and str(run_dir)}))

    def still_waiting(self) -> None:
        """The leading rank lives, and waits for another process that works on the job."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()

    def heard(self) -> Iterator[Path]:
        """Yield the run directory of each turn, as it comes, until the end.

        Raises:
            NotNow: the leading rank has been silent for `PATIENCE`.
        """
        seen = 0
        while True:
            turn, run = self._wait(seen)
            if run is None:
                return
            seen = turn
            yield Path(run)

    def _wait(self, seen: int) -> tuple[int, str | None]:
        last, since = 0.0, time.monotonic()
        while True:
            with suppress(OSError, ValueError, TypeError, KeyError):  # there is none yet, or a torn one
                if (changed := self._path.stat().st_mtime) != last:
                    last, since = changed, time.monotonic()
                content = json.loads(self._path.read_text(encoding="utf-8"))
                if content["turn"] > seen:
                    return int(content["turn"]), content["run"]
            if time.monotonic() - since > PATIENCE:
                raise NotNow(f"The leading rank has said nothing for {PATIENCE:.0f} s; see its words, and start again.")
            time.sleep(POLL_SECONDS)
