"""One run, from its directory alone: build, check, train, record. Begins it, or goes on from its last checkpoint.

    python -m quatrain.worker RUN_DIR
    torchrun --nproc-per-node 2 -m quatrain.worker RUN_DIR

Reads ``config.yaml``, ``changes.yaml`` and the checkpoints, and nothing else of the commands that made them; a trial of
a search also the study beside its directory, which may end it early. Exit code 0: done, or pruned; 2: refused before
training; 1: failed, with the sentence in ``status.json`` and the traceback in ``run.log``; 75: interrupted by a signal,
and ready to go on.
"""

import gc
import sys
import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from quatrain.core.asking import ignore
from quatrain.core.collector import resting_collector
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE, INTERRUPTED, REFUSED
from quatrain.runs.directory import RunDirectory, RunStatus, load_run
from quatrain.runs.leader import global_rank, is_leader, tell
from quatrain.training.preemption import Stopped, StopRequest

if TYPE_CHECKING:
    from quatrain.runs.changes import Change
    from quatrain.runs.taking_up import Beginning

LEADER_FIRST = 2.0
"""Seconds that a rank which ends early leaves the leading one to say why: Lightning kills that when a rank is gone."""


class Prepared(NamedTuple):
    """All that a training needs; nothing is trained yet."""

    begun: "Beginning"
    experiment: Any
    trainer: Any
    metrics: Any
    pruning: Any
    """None for a run that is no trial of a search, or is never ended early."""


def main(arguments: list[str] | None = None) -> int:
    """Run the directory that the command line names; return the exit code."""
    from quatrain.runs.lock import locked
    from quatrain.runs.processes import end_with_parent
    from quatrain.runs.run_log import run_log

    end_with_parent()
    stop = StopRequest()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        stop.listen()
        stop.watch()
        if len(words) != 1:
            raise UserError("Name one run directory: python -m quatrain.worker RUN_DIR")
        run = load_run(words[0])
        with locked(run, run.lock) if is_leader() else nullcontext(), run_log(run.log, rank=global_rank()):
            code = guarded(run, stop)
        if code != DONE and not is_leader():
            time.sleep(LEADER_FIRST)
        return code
    except (UserError, Stopped) as error:
        print(f"error: {error}", file=sys.stderr)
        return INTERRUPTED if isinstance(error, Stopped) else REFUSED


def guarded(run: RunDirectory, stop: StopRequest) -> int:
    """Run the experiment, and turn whatever goes wrong into a status, a sentence and an exit code."""
    from quatrain.runs.changes import read_changes
    from quatrain.runs.outcome import failed, in_words, interrupted, refused
    from quatrain.runs.run_log import log_exception
    from quatrain.runs.tracked import finish_trackers

    before = run.status()
    changes: list[Change] = []
    prepared: Prepared | None = None

    def ended(code: int) -> int:
        if prepared:
            finish_trackers(run, prepared.trainer.loggers, code)
        return code

    stop.before_end = lambda number: ended(interrupted(run, Stopped(number, saved=False)))
    try:
        changes = read_changes(run)
        prepared = prepare(run, changes, before, stop)
        train(run, prepared)
        code = ended(DONE)
        stop.before_end = None  # what is done stays done
        reported = prepared.begun.config["run"].get("report")
        prepared = None  # the model is loaded anew for its examples; two may be more than the device holds
        if is_leader() and reported:
            gc.collect()
            with suppress(Stopped):  # all is recorded, and the command makes a report at any time
                write_report(run)
        return code
    except UserError as error:
        return ended(failed(run, error.sentences)) if prepared else refused(run, error.sentences, before)
    except Stopped as stopped:
        # in the very last moment there is nothing left to stop
        return ended(DONE if run.status().status in ("done", "pruned") else interrupted(run, stopped))
    except Exception as error:
        log_exception(error)
        if stop.number:  # it broke as it was torn out of what it did; what is truly wrong shows when it goes on
            return ended(interrupted(run, Stopped(stop.number, saved=False)))
        return ended(failed(run, [in_words(error, run, changes, prepared.trainer if prepared else None)]))


def prepare(run: RunDirectory, changes: list["Change"], before: RunStatus, stop: StopRequest) -> Prepared:
    """Build data, tokenizer, model, task and trainer, and refuse what does not fit; nothing is trained."""
    with resting_collector():
        import pytorch_lightning  # noqa: F401
        import transformers.modeling_utils  # noqa: F401

        from quatrain.data.contract import begins_anew
        from quatrain.runs.metrics_file import MetricsFile
        from quatrain.runs.run_log import quiet_libraries
        from quatrain.runs.samples_file import SamplesFile
        from quatrain.runs.taking_up import beginning, take_up
        from quatrain.runs.tracked import choose_trackers
        from quatrain.sweeps.judge import Judge, may_be_pruned
        from quatrain.training.checkpoints import checkpoints_of
        from quatrain.training.experiment import assemble, assemble_trainer, choose
        from quatrain.training.pruning import Pruning

    begun = beginning(run, changes, before)
    config = begun.config
    choices = choose(config)
    tell(*(f"{name}: {choice.value} ({choice.reason})" for name, choice in choices.items()))
    experiment = assemble(config, choices, schedule_steps=begun.schedule_steps)
    quiet_libraries()
    rows, samples = MetricsFile(run.metrics_file), SamplesFile(run.samples)

    def flush_rows() -> None:
        rows.flush()
        samples.flush()

    pruning = Pruning(Judge(run.path.parent, run.read_config(), tell)) if may_be_pruned(config["sweep"]) else None
    trainer, metrics = assemble_trainer(
        config,
        choices,
        run.path,
        rows.append,
        experiment.data.monitor,
        stop,
        before_saving=flush_rows,
        pruning=pruning,
        tell=tell,
        write_samples=samples.append,
    )
    tell(experiment.describe(), *experiment.notes(), f"best checkpoint by {checkpoints_of(trainer).monitor or 'none'}")
    if note := begins_anew(experiment.data):
        tell(note)
    if config["test"] and not any(name.startswith("examples/test") for name in experiment.data.summary):
        raise UserError("test=true, but the data has no test split; give data.test_share=0.1, or leave test=true out.")
    if is_leader():
        choices |= choose_trackers(trainer.loggers)
    take_up(run, begun, experiment, choices, rows, samples)
    return Prepared(begun, experiment, trainer, metrics, pruning)


def train(run: RunDirectory, prepared: Prepared) -> None:
    """Train, take the best weights, score the test split where that was asked for, and record all of it."""
    from quatrain.runs.outcome import pruned
    from quatrain.runs.record import conclude, last_scores, take_best
    from quatrain.runs.tracked import facts_of
    from quatrain.tracking import trackers
    from quatrain.training.seeding import seed_everything
    from quatrain.training.trainer import part

    begun, experiment, trainer, metrics, pruning = prepared
    config = begun.config
    if trainer.is_global_zero:
        start = begun.start.step if begun.start else None
        trackers.begin(trainer.loggers, facts_of(run, config, experiment.recipe.task, start), tell)
    seed_everything(config["seed"], rank=trainer.global_rank)
    trainer.fit(experiment.task, datamodule=experiment.data, ckpt_path=begun.checkpoint)
    scores = last_scores(run)
    best = take_best(run, trainer, experiment.task, tell)
    why = pruning.sentence if pruning else None
    if config["test"] and not trainer.fast_dev_run and not why:
        trainer.test(experiment.task, datamodule=experiment.data, verbose=False)
        scores |= {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test")}
    if config["trainer"]["profiler"]:
        tell(f"the profile stands at the end of {run.log}")
    if trainer.is_global_zero:
        result = {"metrics": scores, "best": best, **metrics.speed()}
        if why:
            pruned(run, why, result)
        else:
            conclude(run, config, experiment, result)
        trackers.conclude(trainer.loggers, run.read_result() or result, run.export)
    part(trainer)


def write_report(run: RunDirectory) -> None:
    """Keep examples of what the best weights say, and write the page of the run; what fails is told, and fails nothing.

    Call it on the leading rank, when the run's status says that it has ended.
    """
    from quatrain.inference.examples import keep_examples
    from quatrain.report.run_report import write_run_report
    from quatrain.runs.run_log import log_exception

    try:
        if run.status().status == "done":
            keep_examples(run)
    except Exception as error:
        log_exception(error)
        tell(f"No examples are kept for the report: {' '.join(str(error).split())}")
    try:
        write_run_report(run)
    except Exception as error:
        log_exception(error)
        why = " ".join(str(error).split()).rstrip(".")
        tell(f"No report is written: {why}. Again with: quatrain report {run.path}")


if __name__ == "__main__":
    ended = main()
    ignore()  # all is said: a signal may not change the exit code while the interpreter is torn down
    sys.exit(ended)
