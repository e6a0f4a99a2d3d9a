"""One job of a sweep, from its claim to its end: skipped where it is done, gone on with, begun, and tried again."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from quatrain.core.atomic_files import cannot_write
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import INTERRUPTED, KILLED, REFUSED
from quatrain.core.terminal import one_line
from quatrain.runs.attempts import Start, work
from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.leader import tell
from quatrain.runs.walk import CLAIMS
from quatrain.sweeps.claims import Claim, claim, now
from quatrain.sweeps.inputs import are_noted, note_inputs
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.places import Place, claim_file, place_of, set_aside


def sweep_begins(folder: Path) -> float:
    """Return the moment, by the clock of the file system that the sweep's ``folder`` lies on.

    Raises:
        NotNow: the folder cannot be written.
    """
    place = folder / CLAIMS
    try:
        place.mkdir(parents=True, exist_ok=True)
        return now(place)
    except OSError as error:
        raise cannot_write(place, error) from error


def run_job(
    job: Job,
    folder: Path,
    *,
    start: Start,
    on_lost: Callable[[], object],
    environment: Mapping[str, str] | None = None,
    since: float | None = None,
) -> Ended | None:
    """Run ``job`` in its own folder under ``folder``; return how it ended, or None where another process is at it.

    A job that is done is skipped while its input files are what they were. One that was interrupted, or failed after a
    checkpoint, goes on from there; the folder of an attempt that failed before is set aside, not touched. What fails,
    or whose worker ends without a word, is tried again ``sweep.retries`` times, but for what was refused before
    training.

    Args:
        job: the job.
        folder: the sweep's folder.
        start: starts its worker and waits for the end (`quatrain.runs.processes.start_worker`).
        on_lost: ends the worker at once, where another host took the job over.
        environment: variables for the worker.
        since: when the sweep began, by the file system's clock (`sweep_begins`). A job that another
            sweep has failed at since then is not tried again by this one.
    """
    began = time.monotonic()
    try:
        held = claim(claim_file(job, folder), on_lost=on_lost)
        if held is None:
            return None
        try:
            place = place_of(job, folder)
            if place.status and (place.is_over or (since is not None and place.failed_since(since))):
                return Ended(job, place.status.status, place.run, place.status.why, skipped=True)
            run, status = _attempts(job, place, held, start, environment)
        finally:
            held.release()
    except UserError as error:  # a folder that cannot be read or written, or that another command works in
        return Ended(job, "failed", None, str(error), time.monotonic() - began)
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror or error}; grant access or make room there."
        return Ended(job, "failed", None, one_line(why), time.monotonic() - began)
    if held.lost:
        tell(f"{run.path.name} is left to another host, which took it over as this one was silent for too long")
        return None
    state = "interrupted" if status.status in ("queued", "running") else status.status
    return Ended(job, state, run, status.why, time.monotonic() - began)


def _attempts(
    job: Job, place: Place, held: Claim, start: Start, environment: Mapping[str, str] | None
) -> tuple[RunDirectory, RunStatus]:
    """Work on the job until it ends other than by a failure, or has failed once too often; the run and its status."""
    if place.changed:
        tell(f"{place.run.path.name} runs as a new job, for its input is not what it was: {_listed(place.changed)}")
    for again in range(job.config["sweep"]["retries"] + 1):
        run = _made(job, place)
        code = work(run, environment=environment, start=start)
        status = run.status()
        place = Place(run, status, [])
        if held.lost or code in (REFUSED, INTERRUPTED, KILLED) or place.is_over:
            break
        if again < job.config["sweep"]["retries"]:
            tell(f"{run.path.name} {status.status} ({status.why}); it is tried again")
    return run, status


def _made(job: Job, place: Place) -> RunDirectory:
    """The run directory to work in: a new one, but for a run that goes on."""
    run = place.run
    if place.goes_on:
        tell(f"{run.path.name} goes on where it stopped")
    else:
        if place.status:
            set_aside(run)
        with suppress(OSError):  # an empty folder, as a kill has left it
            run.path.rmdir()
        run = RunDirectory.create(run.path, job.config, job.overrides)
    if not are_noted(run):
        note_inputs(run, job.config)
    return run


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
