"""Where a run begins or goes on, decided before anything is built, and noted when all is built and fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.changes import Change, changed, reschedules
from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.leader import is_leader, tell
from quatrain.runs.metrics_file import MetricsFile
from quatrain.runs.provenance import note_resume
from quatrain.runs.record import write_origin
from quatrain.runs.recorded import read_provenance
from quatrain.runs.samples_file import SamplesFile
from quatrain.training.checkpoint_files import remove_leftovers, tidy
from quatrain.training.resume import Start, find_start, length_of, refuse_another_corpus, refuse_no_more

LINEAR = "quatrain.training.schedules.Linear"


@dataclass(frozen=True)
class Beginning:
    """What is trained now: the config with its changes, from where (None: the first step), and the schedule's length.

    ``schedule_steps`` None is the length of the training.
    """

    config: dict[str, Any]
    start: Start | None
    schedule_steps: int | None

    @property
    def checkpoint(self) -> str | None:
        """The checkpoint's path under Lightning's word ``ckpt_path``."""
        return str(self.start.saved.path) if self.start else None


def beginning(run: RunDirectory, changes: list[Change], before: RunStatus) -> Beginning:
    """Find where ``run``, changed and of the status ``before``, begins or goes on; it says running from then on.

    Raises:
        UserError: it is done, or a new length leaves nothing to train.
    """
    if stray := sorted(run.path.glob("hpc_ckpt_*")):  # Lightning would load it under Slurm, past all checks
        raise UserError(f"{stray[0]} was not written by quatrain; delete it.")
    config = changed(run.read_config(), changes)
    start = find_start(run.checkpoints, tell)
    length = length_of(config["trainer"])
    longer = start is not None and start.length != length
    if before.status in ("done", "pruned") and not longer:
        raise UserError(f"{run.path} is {before.status}; train on with quatrain resume {run.path} --max-epochs N.")
    if is_leader():
        run.set_status("running")
    if start is None:
        return Beginning(config, None, None)
    if not longer:
        return Beginning(config, start, start.schedule_steps)
    refuse_no_more(start, length)
    if reschedules(changes):
        return Beginning(config, start, None)
    if start.schedule_steps is not None:
        tell(
            f"the schedule ends after {start.schedule_steps:,} steps, as before, and then {_stays(config)};"
            " --reschedule stretches it"
        )
    return Beginning(config, start, start.schedule_steps)


def _stays(config: Mapping[str, Any]) -> str:
    """What a schedule does after its end."""
    if config["schedule"]["_target_"] == LINEAR:
        return "stays at a learning rate of 0, at which nothing is learned"
    return "holds its last value"


def take_up(
    run: RunDirectory,
    begun: Beginning,
    experiment: Any,
    choices: Mapping[str, Any],
    rows: MetricsFile,
    samples: SamplesFile,
) -> None:
    """Record where the run comes from; or, where it goes on, what is not as it was, and drop what comes again.

    Raises:
        UserError: the data or the tokenizer is not what the run was started with.
    """
    start, data = begun.start, experiment.data
    if start is None:
        if is_leader():
            tidy(run.checkpoints, None, best_step=None)
            remove_leftovers(run.path)
            for file in (rows, samples):
                file.drop_after(0)
            write_origin(run, begun.config, experiment, choices)
        return
    now = {"data": data.fingerprint, "tokenizer": data.tokenizer.fingerprint}
    refuse_another_corpus(read_provenance(run).get("fingerprints"), now)
    tell(f"going on after step {start.step:,}, from {start.saved.path.name}")
    if is_leader():
        tidy(run.checkpoints, start.saved, best_step=start.best_step)
        remove_leftovers(run.path)
        for file in (rows, samples):
            file.drop_after(start.step)
        for change in note_resume(run, step=start.step, checkpoint=start.saved.path.name):
            tell(f"other than at the start: {change}")
