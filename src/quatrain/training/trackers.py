"""Ending what looks on at a run, so that it shows how the run ended."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED
from quatrain.training.preemption import Stopped


@contextmanager
def finished(loggers: Iterable[Any]) -> Iterator[None]:
    """Close Lightning's loggers that stay open by themselves when the block ends, with the run's exit code.

    Weights & Biases takes any code but 0 for a failure, and without this would wait for the interpreter's end.
    """
    try:
        yield
    except BaseException as error:
        _finish(loggers, INTERRUPTED if isinstance(error, Stopped) else FAILED)
        raise
    _finish(loggers, DONE)


def _finish(loggers: Iterable[Any], code: int) -> None:
    from pytorch_lightning.loggers import WandbLogger

    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish(exit_code=code)
