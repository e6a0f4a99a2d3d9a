"""One run, from its directory alone: build, check, train, record.

    python -m quatrain.worker RUN_DIR
    torchrun --nproc-per-node 2 -m quatrain.worker RUN_DIR

Reads ``config.yaml`` and nothing else of the command that made it. Exit code 0: done; 2: refused before training;
1: failed, with the sentence in ``status.json`` and the traceback in ``run.log``; 130: interrupted.
"""

import logging
import os
import sys
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable
from quatrain.runs.directory import RunDirectory, load_run

log = logging.getLogger("quatrain.worker")


def main(arguments: list[str] | None = None) -> int:
    """Run the directory that the command line names; return the exit code."""
    from quatrain.runs.processes import end_with_parent
    from quatrain.runs.run_log import run_log

    end_with_parent()
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 1:
        print("error: name one run directory: python -m quatrain.worker RUN_DIR", file=sys.stderr)
        return 2
    try:
        run = load_run(words[0])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with run_log(run.log, rank=global_rank()):
        return guarded(run)


def guarded(run: RunDirectory) -> int:
    """Run the experiment, and turn whatever goes wrong into a status, a sentence and an exit code."""
    from quatrain.runs.run_log import log_exception

    training = False
    try:
        config = run.read_config()
        parts = prepare(config, run)
        training = True
        train(config, run, *parts)
        return 0
    except UserError as error:
        return _failed(run, error.sentences, 1 if training else 2)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns a Ctrl-C and a SIGTERM during fit into SystemExit
        if is_leader():
            run.set_status("interrupted", "A signal ended the run.")
            print(f"interrupted; what was done so far lies in {run.path}", file=sys.stderr)
        return 130
    except Exception as error:
        log_exception(error)
        what = " ".join(str(error).split()) or "no message"
        return _failed(run, [f"{type(error).__name__}: {what} (the traceback is in {run.log})"], 1)


def prepare(config: dict[str, Any], run: RunDirectory) -> tuple[Any, Any, Any]:
    """Build data, tokenizer, model, task and trainer, and refuse what does not fit; nothing is trained."""
    from quatrain.runs.metrics_file import MetricsFile
    from quatrain.runs.record import write_origin
    from quatrain.runs.run_log import quiet_libraries
    from quatrain.training.experiment import assemble, assemble_trainer, choose

    if is_leader():
        run.set_status("running")
    choices = choose(config)
    tell(*(f"{name}: {choice.value} ({choice.reason})" for name, choice in choices.items()))
    experiment = assemble(config, choices)
    quiet_libraries()
    write = MetricsFile(run.metrics).append
    trainer, metrics = assemble_trainer(config, choices, run.path, write, experiment.data.monitor)
    tell(experiment.describe(), f"best checkpoint by {getattr(trainer.checkpoint_callback, 'monitor', None) or 'none'}")
    if config["test"] and not any(name.startswith("examples/test") for name in experiment.data.summary):
        raise UserError("test=true, but the data has no test split; give data.test_share=0.1, or leave test=true out.")
    if is_leader():
        write_origin(run, config, experiment, choices)
    return experiment, trainer, metrics


def train(config: dict[str, Any], run: RunDirectory, experiment: Any, trainer: Any, metrics: Any) -> None:
    """Train, take the best weights, score the test split where that was asked for, and record all of it."""
    from quatrain.runs.record import conclude, take_best
    from quatrain.training.seeding import seed_everything

    seed_everything(config["seed"], rank=trainer.global_rank)
    trainer.fit(experiment.task, datamodule=experiment.data)
    scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
    best = take_best(run, trainer, experiment.task)
    if config["test"] and not trainer.fast_dev_run:
        trainer.test(experiment.task, datamodule=experiment.data, verbose=False)
        scores |= {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test")}
    if config["trainer"].get("profiler"):
        tell(f"the profile stands at the end of {run.log}")
    if trainer.is_global_zero:
        speed = {"seconds": metrics.seconds, "tokens": metrics.tokens, "tokens_per_second": metrics.tokens_per_second}
        conclude(run, config, experiment, {"metrics": scores, "best": best, **speed})
    trainer.strategy.barrier("the run is concluded")


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


def _failed(run: RunDirectory, sentences: list[str], code: int) -> int:
    """Note the failure in the run directory and say it; every rank returns the code, one speaks."""
    sentences = UserError(sentences).sentences  # an exception of a library may quote anything
    for sentence in sentences:
        log.error(sentence)
    if not is_leader() and code == 1:  # every rank refuses the same input; what breaks one rank, only it can tell
        print(f"error on rank {global_rank()}: {' '.join(sentences)}", file=sys.stderr)
    if is_leader():
        for sentence in sentences:
            print(f"error: {sentence}", file=sys.stderr)
        if run.path.is_dir():
            run.set_status("failed", " ".join(sentences))
    return code


if __name__ == "__main__":
    sys.exit(main())
