"""One job of a sweep, from its claim to its end: skipped where it is done, gone on with, begun, and tried again."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import INTERRUPTED, KILLED, REFUSED
from quatrain.runs.attempts import Start, work
from quatrain.runs.directory import RunDirectory
from quatrain.runs.leader import tell
from quatrain.sweeps.claims import claim
from quatrain.sweeps.inputs import note_inputs
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.places import Place, claim_file, place_of, set_aside


def run_job(
    job: Job,
    folder: Path,
    *,
    start: Start,
    on_lost: Callable[[], object],
    environment: Mapping[str, str] | None = None,
) -> Ended | None:
    """Run ``job`` in its own folder under ``folder``; return how it ended, or None where another process is at it.

    A job that is done is skipped while its input files are what they were. One that was interrupted, or failed after a
    checkpoint, goes on from there; the folder of an attempt that failed before is set aside, not touched. What fails is
    tried again ``sweep.retries`` times, but for what was refused before training.

    Args:
        job: the job.
        folder: the sweep's folder.
        start: starts its worker and waits for the end (`quatrain.runs.processes.start_worker`).
        on_lost: ends the worker at once, where another host took the job over.
        environment: variables for the worker.
    """
    began = time.monotonic()
    try:
        held = claim(claim_file(job, folder), on_lost=on_lost)
        if held is None:
            return None
        try:
            place = place_of(job, folder)
            if place.is_over:
                assert place.status
                return Ended(job, place.status.status, place.run, skipped=True)
            run = _attempts(job, place, start, environment)
        finally:
            held.release()
        status = run.status()
    except UserError as error:  # a folder that cannot be read or written, or that another command works in
        return Ended(job, "failed", None, str(error), time.monotonic() - began)
    state = "interrupted" if status.status in ("queued", "running") else status.status
    return Ended(job, state, run, status.why, time.monotonic() - began)


def _attempts(job: Job, place: Place, start: Start, environment: Mapping[str, str] | None) -> RunDirectory:
    """Work on the job until it ends other than by a failure, or has failed once too often."""
    if place.changed:
        tell(f"{place.run.path.name} runs as a new job, for its input is not what it was: {_listed(place.changed)}")
    for again in range(job.config["sweep"]["retries"] + 1):
        run = _made(job, place)
        code = work(run, environment=environment, start=start)
        status = run.status()
        place = Place(run, status, [])
        if code in (REFUSED, INTERRUPTED, KILLED) or place.is_over:
            break
        if again < job.config["sweep"]["retries"]:
            tell(f"{run.path.name} {status.status} ({status.why}); it is tried again")
    return run


def _made(job: Job, place: Place) -> RunDirectory:
    """The run directory to work in: a new one, but for a run that goes on."""
    if place.goes_on:
        tell(f"{place.run.path.name} goes on where it stopped")
        return place.run
    if place.status:
        set_aside(place.run)
    run = RunDirectory.create(place.run.path, job.config, job.overrides)
    note_inputs(run, job.config)
    return run


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
