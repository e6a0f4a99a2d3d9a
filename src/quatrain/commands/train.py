"""quatrain train: compose, check, freeze, run.

quatrain train                                    a minute on a CPU, with no network
quatrain train experiment=quick_windows trainer.max_steps=50
quatrain train -m seed=1,2,3
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import REFUSED
from quatrain.runs.directory import RunDirectory

if TYPE_CHECKING:
    from quatrain.inference.run import Run


def main(arguments: list[str]) -> int:
    """Run ``quatrain train``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.config.sweeping import Swept
    from quatrain.sweeps.ending import tell_end
    from quatrain.sweeps.job import Job
    from quatrain.sweeps.local import SweepInterrupted
    from quatrain.sweeps.reporting import report_end

    try:
        asked = read("train", arguments)
    except SweepInterrupted as interrupted:
        print(interrupted, file=sys.stderr)
        return interrupted.code
    if isinstance(asked, Job):
        return run(asked.config, asked.overrides)[1]
    if not isinstance(asked, Swept):
        return 0
    code = tell_end(asked.ended, asked.folder, total=asked.total, with_best=not asked.best_told)
    report_end(asked.ended, asked.folder, total=asked.total)
    return code


def train(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> "Run":
    """Train one experiment as ``quatrain train`` does, in a process of its own, and return its run.

    Raises:
        UserError: the overrides, the input or the run directory are refused, or training failed; with the sentence why.
    """
    from quatrain.config.compose import compose
    from quatrain.inference.run import Run

    directory, code, why = run(compose(overrides, config_dir), list(overrides))
    if code == REFUSED:
        raise UserError(why or "The experiment was refused before training.")
    if code != 0:
        raise UserError(f"The run in {directory.path} did not end well: {why or 'see run.log'}")
    return Run(directory.path)


def run(config: Mapping[str, Any], overrides: Sequence[str]) -> tuple[RunDirectory, int, str | None]:
    """Freeze ``config`` in a new run directory and run it there; return it, the exit code and why it failed, if it did.

    A refused run leaves nothing behind. In a job of a cluster the directory is named after the job: its ranks share it,
    and the job goes on in it when it was queued again.
    """
    from quatrain.runs.attempts import work
    from quatrain.runs.cluster import in_job, is_again
    from quatrain.runs.naming import identity_hash, run_folder

    own = config["run"]["dir"]
    place = Path(own or run_folder(Path(config["run"]["root"]), config["name"], config, overrides))
    if in_job() and is_again(directory := RunDirectory(place), identity_hash(config)):
        return directory, work(directory), directory.status().why
    made = [parent for parent in place.parents if not parent.exists()]
    directory = RunDirectory.create(place, config, overrides, numbered=own is None and not in_job())
    code = work(directory)
    status = directory.status()
    why = status.why
    if code == REFUSED and status.status != "running" and not directory.checkpoints.exists():
        shutil.rmtree(directory.path)
        for parent in made:  # the innermost first; another run may have moved in meanwhile
            with suppress(OSError):
                parent.rmdir()
    return directory, code, why
