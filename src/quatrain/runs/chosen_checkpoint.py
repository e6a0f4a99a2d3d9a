"""Which checkpoint of a finished run is meant by its best and its last one."""

from typing import Literal, NamedTuple

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.training.checkpoint_files import Saved, saved_in

Which = Literal["best", "last"]


class Chosen(NamedTuple):
    """``saved``: the checkpoint; None where the run keeps none. ``step``: the optimizer step of the weights."""

    saved: Saved | None
    step: int | None


def choose_checkpoint(run: RunDirectory, which: Which) -> Chosen:
    """The checkpoint that ``which`` names: ``best`` is the one whose scores ``result.json`` has as the best.

    Raises:
        UserError: it is damaged, or gone while others are there; or the last one is asked for and there is none.
    """
    found, best = saved_in(run.checkpoints), _best_step(run)
    if not found:
        if which == "last":
            raise UserError(
                f"--checkpoint last: {run.checkpoints} holds no checkpoint; leave --checkpoint out to take the weights"
                f" of {run.export}."
            )
        return Chosen(None, best)
    if which == "last":
        saved = next((one for one in found if one.resumable), found[0])
    else:
        saved = _of_step(run, found, found[0].step if best is None else best)
    if not saved.is_whole():
        other = "--checkpoint last --to DIR" if which == "best" else "--checkpoint best"
        raise UserError(
            f"{saved.path} is torn or corrupt, for its content is not what its name says; put the file back, or take"
            f" another checkpoint with {other}."
        )
    return Chosen(saved, saved.step)


def _of_step(run: RunDirectory, found: list[Saved], step: int) -> Saved:
    of_step = [one for one in found if one.step == step]
    if not of_step:
        steps = ", ".join(f"{one.step:,}" for one in found)
        raise UserError(
            f"The best checkpoint, of step {step:,}, is not in {run.checkpoints}, which has step {steps}; put it back,"
            " or take the last one with --checkpoint last --to DIR."
        )
    return next((one for one in of_step if one.is_whole()), of_step[0])


def _best_step(run: RunDirectory) -> int | None:
    best = (run.read_result() or {}).get("best")
    step = best.get("step") if isinstance(best, dict) else None
    return step if isinstance(step, int) and not isinstance(step, bool) else None
