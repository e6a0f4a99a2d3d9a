"""One run, from its directory alone: build, check, train, record. Begins it, or goes on from its last checkpoint.

    python -m quatrain.worker RUN_DIR
    torchrun --nproc-per-node 2 -m quatrain.worker RUN_DIR

Reads ``config.yaml``, ``changes.yaml`` and the checkpoints, and nothing else of the commands that made them. Exit code
0: done; 2: refused before training; 1: failed, with the sentence in ``status.json`` and the traceback in ``run.log``;
75: interrupted by a signal, and ready to go on.
"""

import logging
import os
import sys
import time
from contextlib import nullcontext, suppress
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED, REFUSED
from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable
from quatrain.runs.directory import RunDirectory, RunStatus, load_run
from quatrain.training.preemption import Stopped, StopRequest

log = logging.getLogger("quatrain.worker")

LEADER_FIRST = 2.0
"""Seconds that a rank which ends early leaves the leading one to say why: Lightning kills that when a rank is gone."""


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
    from quatrain.runs.run_log import log_exception

    before = run.status()
    changes: list[Any] = []
    parts: Any = ()
    training = False
    try:
        changes = read_changes(run)
        parts = prepare(run, changes, before, stop)
        training = True
        train(run, *parts)
        return DONE
    except UserError as error:
        return _failed(run, error.sentences, FAILED) if training else _refused(run, error.sentences, before)
    except Stopped as stopped:
        return _interrupted(run, stopped)
    except Exception as error:
        log_exception(error)
        if stop.number:  # it broke as it was torn out of what it did; what is truly wrong shows when it goes on
            return _interrupted(run, Stopped(stop.number, saved=False))
        return _failed(run, [in_words(error, run, changes, parts)], FAILED)


def prepare(
    run: RunDirectory, changes: list[Any], before: RunStatus, stop: StopRequest
) -> tuple[dict[str, Any], Any, Any, Any, Any]:
    """Build data, tokenizer, model, task and trainer, and refuse what does not fit; nothing is trained."""
    from quatrain.runs.changes import changed, reschedules
    from quatrain.runs.metrics_file import MetricsFile
    from quatrain.runs.run_log import quiet_libraries
    from quatrain.training.experiment import assemble, assemble_trainer, choose
    from quatrain.training.resume import find_start, length_of, refuse_no_more

    config = changed(run.read_config(), changes)
    start = find_start(run.checkpoints, tell)
    same_length = start is not None and start.length == length_of(config["trainer"])
    if before.status == "done" and (start is None or same_length):
        raise UserError(f"{run.path} is done; train on with quatrain resume {run.path} --max-epochs N.")
    if is_leader():
        run.set_status("running")
    if start and not same_length:
        refuse_no_more(start, length_of(config["trainer"]))
    choices = choose(config)
    tell(*(f"{name}: {choice.value} ({choice.reason})" for name, choice in choices.items()))
    schedule_steps = start.schedule_steps if start else None
    if start and not same_length:
        if reschedules(changes):
            schedule_steps = None
        elif schedule_steps is not None:
            tell(f"the schedule ends after {schedule_steps:,} steps, as before, and then holds its last value")
    experiment = assemble(config, choices, schedule_steps=schedule_steps)
    quiet_libraries()
    rows = MetricsFile(run.metrics)
    trainer, metrics = assemble_trainer(config, choices, run.path, rows.append, experiment.data.monitor, stop)
    tell(experiment.describe(), f"best checkpoint by {getattr(trainer.checkpoint_callback, 'monitor', None) or 'none'}")
    if config["test"] and not any(name.startswith("examples/test") for name in experiment.data.summary):
        raise UserError("test=true, but the data has no test split; give data.test_share=0.1, or leave test=true out.")
    begin(run, config, experiment, choices, start, rows)
    return config, experiment, trainer, metrics, start


def begin(run: RunDirectory, config: dict[str, Any], experiment: Any, choices: Any, start: Any, rows: Any) -> None:
    """Record where the run comes from; or, where it goes on, refuse another corpus and drop what will come again."""
    from quatrain.runs.provenance import note_resume
    from quatrain.runs.record import write_origin
    from quatrain.runs.recorded import read_provenance
    from quatrain.training.checkpoint_files import remove_leftovers, tidy
    from quatrain.training.resume import refuse_another_corpus

    data = experiment.data
    if start is not None:
        fingerprints = {"data": data.fingerprint, "tokenizer": data.tokenizer.fingerprint}
        refuse_another_corpus(read_provenance(run).get("fingerprints"), fingerprints)
        tell(f"going on after step {start.step:,}, from {start.saved.path.name}")
    if is_leader():
        tidy(run.checkpoints, start.saved if start else None, best_step=start.best_step if start else None)
        remove_leftovers(run.path)
        rows.drop_after(start.step if start else 0)
        if start is None:
            write_origin(run, config, experiment, choices)
        else:
            note_resume(run, step=start.step, checkpoint=start.saved.path.name)


def train(run: RunDirectory, config: dict[str, Any], experiment: Any, trainer: Any, metrics: Any, start: Any) -> None:
    """Train, take the best weights, score the test split where that was asked for, and record all of it."""
    from quatrain.runs.record import conclude, last_scores, take_best
    from quatrain.training.seeding import seed_everything

    seed_everything(config["seed"], rank=trainer.global_rank)
    trainer.fit(experiment.task, datamodule=experiment.data, ckpt_path=str(start.saved.path) if start else None)
    scores = last_scores(run)
    best = take_best(run, trainer, experiment.task, tell)
    if config["test"] and not trainer.fast_dev_run:
        trainer.test(experiment.task, datamodule=experiment.data, verbose=False)
        scores |= {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test")}
    if config["trainer"]["profiler"]:
        tell(f"the profile stands at the end of {run.log}")
    if trainer.is_global_zero:
        speed = {"seconds": metrics.seconds, "tokens": metrics.tokens, "tokens_per_second": metrics.tokens_per_second}
        conclude(run, config, experiment, {"metrics": scores, "best": best, **speed})
    trainer.strategy.barrier("the run is concluded")


def in_words(error: Exception, run: RunDirectory, changes: list[Any], parts: Any) -> str:
    """What went wrong, and what to change; where memory did not suffice, a smaller batch is noted if that was asked.

    ``changes`` and ``parts`` are what this process trained with.
    """
    from quatrain.runs.changes import Change, changed, read_changes, write_changes
    from quatrain.training.failures import (
        counted_batches,
        is_out_of_memory,
        lost_loader_worker,
        out_of_memory,
        smaller_batches,
    )

    if is_out_of_memory(error):
        config = changed(run.read_config(), changes)
        smaller = smaller_batches(config, counted_batches(parts[2]) if parts else {})
        if smaller is None or not config["trainer"]["auto_batch"]:
            return out_of_memory(config, smaller, "GPU" if "cuda" in str(error).lower() else "machine")
        if read_changes(run) == changes:  # else another rank was first
            write_changes(run, [*changes, Change("trainer.auto_batch=true", smaller)])
        settings = " ".join(f"{key}={value}" for key, value in smaller.items())
        return f"The memory did not suffice; the run goes on with {settings}, which keeps the effective batch."
    what = " ".join(str(error).split()) or "no message"
    return lost_loader_worker(error) or f"{type(error).__name__}: {what} (the traceback is in {run.log})"


def tell(*lines: str) -> None:
    """Print lines for the eye on the leading rank, and keep them in the log."""
    for line in lines:
        log.info(line)
        if is_leader():
            print(printable(redact_text(line)), file=sys.stderr, flush=True)


def global_rank() -> int:
    """This process's number among all of the run, as torchrun, Slurm or Lightning has set it."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return 0


def is_leader() -> bool:
    """Whether this process is the one that writes."""
    return global_rank() == 0


def _interrupted(run: RunDirectory, stopped: Stopped) -> int:
    """Note that a signal ended the run, and how it goes on."""
    if is_leader():
        with suppress(NotNow):  # a disk that is full; the process is gone, which tells as much
            run.set_status("interrupted", f"{stopped}.")
        saved = "a checkpoint is written" if stopped.saved else "it goes on from the last checkpoint, if there is one"
        print(f"{stopped}; {saved}. Go on with: quatrain resume {run.path}", file=sys.stderr)
    return INTERRUPTED


def _refused(run: RunDirectory, sentences: list[str], before: RunStatus) -> int:
    """Say what is wrong; a run that had been under way stays what it was, so that it can go on."""
    if is_leader() and before.status in ("done", "interrupted", "failed"):
        run.set_status(before.status, before.why)
    else:
        return _failed(run, sentences, REFUSED)
    return _say(sentences, REFUSED)


def _failed(run: RunDirectory, sentences: list[str], code: int) -> int:
    """Note the failure in the run directory and say it; every rank returns the code, one speaks."""
    if is_leader() and run.path.is_dir():
        try:
            run.set_status("failed", " ".join(sentences))
        except NotNow as error:  # a disk that is full holds no status either; the process is gone, which tells enough
            sentences = [*sentences, *error.sentences]
    return _say(sentences, code)


def _say(sentences: list[str], code: int) -> int:
    sentences = UserError(sentences).sentences  # an exception of a library may quote anything
    for sentence in sentences:
        log.error(sentence)
    if is_leader():
        for sentence in sentences:
            print(f"error: {sentence}", file=sys.stderr)
    elif code == FAILED:  # every rank refuses the same input; what breaks one rank, only it can tell
        print(f"error on rank {global_rank()}: {' '.join(sentences)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
