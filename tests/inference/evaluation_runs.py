"""Finished runs of a few steps, made once for the tests of a module."""

from collections.abc import Callable
from pathlib import Path

from quatrain.runs.directory import RunDirectory

SMALL = ("data.verse_size=80", "data.batch_size=8", "trainer.accelerator=cpu", "tokenizer.vocab_size=400")
SHORT = ("trainer.max_steps=3", "run.report=false", "trainer.val_check_interval=3")
PLAIN = ("speed=plain", *SMALL, *SHORT)


def maker(folder: Path) -> Callable[..., RunDirectory]:
    """Return a function from overrides to their finished run, made when it is first asked for.

    It is called within a test, where the cache of the tests is the cache.
    """
    made: dict[tuple[str, ...], RunDirectory] = {}

    def finished(*overrides: str) -> RunDirectory:
        if overrides not in made:
            made[overrides] = _run(folder / f"run-{len(made)}", overrides)
        return made[overrides]

    return finished


def _run(folder: Path, overrides: tuple[str, ...]) -> RunDirectory:
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    run = RunDirectory.create(folder, compose(overrides), list(overrides))
    with run_log(run.log):
        code = worker.guarded(run, StopRequest())
    assert code == 0, run.log.read_text()
    return run
