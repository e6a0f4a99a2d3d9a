"""The jobs of a sweep under a launcher of others: checked, handed over, and accounted for by what they left on disk."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from quatrain.config.handed_over import HandedOver, Starter, run_here
from quatrain.config.launcher_fit import unfit
from quatrain.config.stopping import stopping
from quatrain.core.build import ALLOW_VARIABLE
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import INTERRUPTED
from quatrain.core.terminal import one_line
from quatrain.runs.directory import RunDirectory
from quatrain.runs.launch_command import COMMAND_VARIABLE
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.local import SweepInterrupted
from quatrain.sweeps.places import newest, place_of
from quatrain.training.hardware import usable_cores

CARRIED = (ALLOW_VARIABLE, COMMAND_VARIABLE, "QUATRAIN_CACHE", "HF_HUB_OFFLINE")
"""Variables that a job finds wherever it runs."""


def launched(
    launcher: Any, jobs: Sequence[Job], lines: Sequence[Sequence[str]], *, at_a_time: int | None = None
) -> list[Ended]:
    """Have a launcher of others run ``jobs``, whose overrides Hydra has as ``lines``; return how each ended.

    It gets ``at_a_time`` of them (None: all) and the next when all of these have ended. What is done already is not
    launched, and equal jobs are launched once.

    Raises:
        UserError: before anything is written, a job does not fit what the launcher asks its cluster for.
        SweepInterrupted: a signal ended the sweep, or jobs of it and none failed.
    """
    name = str(launcher.config.hydra.runtime.choices["hydra/launcher"])
    settings = launcher.config.hydra.launcher
    if mistakes := list(dict.fromkeys(unfit(name, settings, jobs))):
        raise UserError(mistakes)
    sweep = _handed_over(name, launcher, jobs)
    over: dict[str, Ended] = {}
    pairs = list(zip(jobs, lines, strict=True))
    size = at_a_time or len(pairs)
    for at in range(0, len(pairs), size):
        _batch(name, launcher, sweep, pairs[at : at + size], over)
        if launcher.config.sweep.fail_fast and any(ended.status == "failed" for ended in over.values()):
            break
    ended = _of_all(jobs, over)
    if any(one.status == "interrupted" for one in ended) and all(one.status != "failed" for one in ended):
        raise SweepInterrupted(INTERRUPTED)
    return ended


def _batch(
    name: str, launcher: Any, sweep: HandedOver, pairs: list[tuple[Job, Sequence[str]]], over: dict[str, Ended]
) -> None:
    """Launch what is not over yet, and note in ``over`` how each ended."""
    started: dict[str, tuple[Job, Sequence[str]]] = {}
    for job, line in pairs:
        try:
            place = place_of(job, sweep.root)
        except UserError as error:  # what lies there cannot be read
            over.setdefault(job.identity, Ended(job, "failed", None, str(error)))
            continue
        if place.is_over and place.status:
            over.setdefault(job.identity, Ended(job, place.status.status, place.run, skipped=True))
        if job.identity not in over:
            started.setdefault(job.identity, (job, line))
    if not started:
        return
    lines = [line for _, line in started.values()]
    returned, why = _returned(name, launcher, sweep, [job for job, _ in started.values()], lines)
    for place_in, (identity, (job, _)) in enumerate(started.items()):
        over[identity] = _ended(job, returned[place_in] if returned else None, sweep.root, why)


def _returned(
    name: str, launcher: Any, sweep: HandedOver, jobs: list[Job], lines: list[Sequence[str]]
) -> tuple[list[Any], str]:
    """Hydra's accounts of the jobs; none, and why, where the launcher itself broke."""
    for job in jobs:
        sweep.give(job)
    before = _submitted(sweep.root)
    print(f"{len(jobs)} jobs go to hydra/launcher={name}, in {sweep.root}", file=sys.stderr, flush=True)
    try:
        with stopping(sweep):
            return list(launcher.launch(lines, initial_job_idx=jobs[0].number)), ""
    except KeyboardInterrupt:
        if name == "submitit_slurm" and (numbers := sorted(_submitted(sweep.root) - before)):
            print(
                f"the jobs stay with Slurm; to end them: scancel {' '.join(numbers)}. The same command takes up what"
                " they leave.",
                file=sys.stderr,
            )
        raise SweepInterrupted(INTERRUPTED) from None
    except Exception as error:
        words = [line.strip() for line in str(error).splitlines() if line.strip()]
        return [], f"hydra/launcher={name} gave up: {words[0] if words else type(error).__name__}"


def _ended(job: Job, account: Any, root: Path, why: str) -> Ended:
    """How a job ended: by its own account, else by what it left."""
    said = account._return_value if account is not None else None
    if account is not None and account.status.name == "COMPLETED" and isinstance(said, dict):
        run = RunDirectory(said["run"]) if said["run"] else None
        return Ended(job, said["status"], run, said["why"], said["seconds"], said["skipped"])
    if account is not None:
        why = _told(said)
    found = newest(root, job.identity)
    if found is None:
        return Ended(job, "failed", None, one_line(why))
    run = RunDirectory(found)
    status = run.status()
    if status.status in ("done", "pruned", "failed"):
        return Ended(job, status.status, run, status.why)
    return Ended(job, "failed", run, one_line(f"{status.status}; {why}"))


def _told(error: object) -> str:
    """What a launcher's account says of a failure."""
    if isinstance(error, UserError):
        return "; ".join(error.sentences)
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    return "The launcher has not told how it ended; see its own log."


def _of_all(jobs: Sequence[Job], over: dict[str, Ended]) -> list[Ended]:
    """How each job ended, equal ones by the one that was launched."""
    ended: list[Ended] = []
    for job in jobs:
        if (one := over.get(job.identity)) is not None:
            shared = one.skipped or one.job is not job
            ended.append(Ended(job, one.status, one.run, one.why, one.seconds, shared))
    return ended


def _handed_over(name: str, launcher: Any, jobs: Sequence[Job]) -> HandedOver:
    """Have the launcher's jobs find everything wherever they run."""
    from omegaconf import open_dict, read_write

    root = Path(str(launcher.config.hydra.sweep.dir)).absolute()
    sweep = HandedOver(
        root=root,
        here=Path.cwd(),
        variables={name: os.environ[name] for name in CARRIED if name in os.environ},
        starter=None if name == "submitit_slurm" else Starter.here(),
        threads=max(1, usable_cores() // len(jobs)) if name == "submitit_local" else None,
    )
    if name == "ray":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports to its makers unless told not to
    launcher.task_function = partial(run_here, sweep=sweep)
    with read_write(launcher.config), open_dict(launcher.config):
        launcher.config.hydra.sweep.dir = str(root)
        quoted = str(root).replace("\\", "\\\\").replace("'", "\\'")
        if (told := f"hydra.sweep.dir='{quoted}'") not in launcher.config.hydra.overrides.hydra:
            launcher.config.hydra.overrides.hydra.append(told)
    return sweep


def _submitted(root: Path) -> set[str]:
    """The numbers of Slurm's jobs that submitit has a folder of, those of an array once."""
    return {path.name.partition("_")[0] for path in (root / ".submitit").glob("[0-9]*")}
