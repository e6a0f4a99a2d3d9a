"""Only a run that is done has a model to use or to hand on."""

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory, State

ADVICE: dict[State, str] = {
    "queued": "wait until it was started and has ended, or start it with quatrain resume {path}.",
    "running": "wait for its end.",
    "failed": "quatrain resume {path} goes on with it when the cause is mended.",
    "interrupted": "quatrain resume {path} goes on with it.",
    "pruned": "its search ended it early; quatrain resume {path} --max-epochs N trains it on.",
}
"""What to do with a run that is not done."""


def require_done(run: RunDirectory) -> None:
    """Raise a `UserError` with status, reason and advice, if ``run`` is not done."""
    status = run.status()
    if status.status == "done":
        return
    why = f" ({status.why.rstrip('.')})" if status.why else ""
    fix = ADVICE[status.status].format(path=run.path)
    raise UserError(f"{run.path} is a run that is not done but {status.status}{why}; {fix}")
