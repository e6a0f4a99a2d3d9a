"""Where the jobs of a sweep lie, and what is there of them already."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.naming import sweep_job_folder
from quatrain.runs.walk import CLAIMS
from quatrain.sweeps.inputs import changed_inputs
from quatrain.sweeps.job import Job


@dataclass(frozen=True)
class Place:
    """The run directory of a job, and its status where something is there. ``changed`` names input that is not as it
    was when an earlier run of the same config, whose place is left as it is, was begun."""

    run: RunDirectory
    status: RunStatus | None
    changed: list[str]

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.status is not None and self.status.status in ("done", "pruned")

    def failed_since(self, moment: float) -> bool:
        """Whether the run has failed after ``moment``, as the file system has it."""
        failed = self.status is not None and self.status.status == "failed"
        return failed and self.run.status_file.stat().st_mtime >= moment

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on where it stopped: it did not fail, or has a checkpoint to go on from."""
        if self.status is None or self.is_over:
            return False
        return self.status.status != "failed" or any(self.run.checkpoints.glob("step-*.ckpt"))


def place_of(job: Job, folder: Path) -> Place:
    """Find where ``job`` lies, or will lie, in the sweep's ``folder``; nothing is made.

    It is ``<tag>-<identity>``, and ``<tag>-<identity>-2`` and so on for a job whose input files changed since. A folder
    with nothing in it, as a kill in the midst of making one leaves it, is no run yet.

    Raises:
        UserError: what lies there was not written by quatrain, or cannot be read.
    """
    first = sweep_job_folder(folder, job.config, job.overrides)
    there = list(_numbered(first))
    if not there:
        return Place(RunDirectory(first), None, [])
    changed: list[str] = []
    new = first.with_name(f"{first.name}-{len(there) + 1}")
    for run in map(RunDirectory, reversed(there)):
        if not any(run.path.iterdir()):
            new = run.path
            continue
        now = changed_inputs(run, job.config)
        if not now:
            return Place(run, run.status(), [])
        changed = changed or now
    return Place(RunDirectory(new), None, changed)


def claim_file(job: Job, folder: Path) -> Path:
    """The file that says who works on ``job``."""
    return folder / CLAIMS / job.identity


def set_aside(run: RunDirectory) -> None:
    """Rename the folder of an attempt that failed, so that another can be made."""
    attempt = 1
    while (kept := run.path.with_name(f"{run.path.name}.attempt{attempt}")).exists():
        attempt += 1
    run.path.rename(kept)


def _numbered(first: Path) -> Iterator[Path]:
    number, place = 1, first
    while place.is_dir():
        yield place
        number += 1
        place = first.with_name(f"{first.name}-{number}")


def newest(folder: Path, identity: str) -> Path | None:
    """The run directory of the job of this identity which was begun last; None where there is none yet."""
    there = [*folder.glob(f"*-{identity}"), *folder.glob(f"*-{identity}-[0-9]*")]
    numbered = [path for path in there if path.name.endswith(identity) or path.name.rpartition("-")[2].isdecimal()]
    return max(numbered, key=lambda path: (len(path.name), path.name), default=None)
