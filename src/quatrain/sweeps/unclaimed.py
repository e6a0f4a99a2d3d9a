"""Keeping sweeps away from a job's folder while something else is done to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.walk import CLAIMS
from quatrain.sweeps.claims import claim

_JOB = re.compile(r".*-([0-9a-f]{8})(-\d+)?(\.attempt\d+)?")


@contextmanager
def unclaimed(run: RunDirectory) -> Iterator[None]:
    """Hold the claim of a job of a sweep within the block; of a run that is none, nothing is held.

    Raises:
        UserError: a sweep works on the job.
        NotNow: the sweep's folder cannot be written.
    """
    claims, job = run.path.parent / CLAIMS, _JOB.fullmatch(run.path.name)
    if job is None or not claims.is_dir():
        yield
        return
    held = claim(claims / job[1], on_lost=lambda: None)
    if held is None:
        raise UserError(f"{run.path} is a job that a sweep works on; it is left.")
    try:
        yield
    finally:
        held.release()
