"""Where Lightning's training loop is, and how a checkpoint tells it to go on there.

Lightning counts each batch as ready, started, processed and completed, and tells from their differences what it was
doing when a checkpoint was written. Its states between two batches and after a validation are right as they are; that
of a validation which is still to come it would take for done, so that one is written as the state *within* a
validation, which Lightning begins anew. (Read in loops/training_epoch_loop.py of pytorch_lightning 2.6; the tests hold
it to that.)
"""

from typing import Any, Literal

import pytorch_lightning as pl

Place = Literal["midst", "validation comes", "epoch ends"]


def restart_by_epochs(trainer: pl.Trainer) -> None:
    """Have trainings that are measured in steps go on as those that are measured in epochs do.

    Lightning restarts the former another way, which loses count of the epochs when one goes on from an epoch's end.
    """
    trainer.fit_loop._iteration_based_training = lambda: False  # type: ignore[method-assign]


def epochs_done(trainer: pl.Trainer) -> int:
    """How many epochs have been trained whole; the one that is just ending counts."""
    return int(trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]


def at_step_end(trainer: pl.Trainer) -> Place:
    """What follows the batch that has just ended: another one, a validation, or the end of the epoch without one."""
    loop = trainer.fit_loop.epoch_loop
    fetcher = trainer.fit_loop._data_fetcher
    assert fetcher is not None
    if loop._should_check_val_fx(fetcher):
        return "validation comes"
    return "epoch ends" if loop._num_ready_batches_reached() else "midst"


def validation_to_come(fit_loop: dict[str, Any]) -> None:
    """Make the loop state of a batch that has ended, in place, one from which the validation that is due is run."""
    batches = fit_loop["epoch_loop.batch_progress"]
    for count in (batches["total"], batches["current"]):
        count["completed"] = count["processed"]
    validation = fit_loop["epoch_loop.val_loop.batch_progress"]
    validation["total"] |= {"ready": 1, "started": 1, "processed": 0, "completed": 0}
    validation["current"] |= {"ready": 0, "started": 0, "processed": 0, "completed": 0}
    validation["is_last_batch"] = False


def batches_are_smaller(fit_loop: dict[str, Any], times: int) -> None:
    """Make the loop state, in place, one of batches that are ``times`` smaller, and accumulated ``times`` more."""
    batches = fit_loop["epoch_loop.batch_progress"]
    for count in (batches["total"], batches["current"]):
        ready = count["ready"]
        for name, number in count.items():
            count[name] = ready * times - (ready - number)  # the batch that is under way is the last small one
    for loader in fit_loop["state_dict"].get("combined_loader", []):
        if "batches" in loader:  # a TrainingLoader's place
            loader["batches"] *= times
