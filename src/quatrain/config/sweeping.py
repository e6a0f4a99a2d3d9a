"""A sweep: expand the grid, compose and check every job, then launch."""

from typing import Any

from quatrain.config.compose import compose_here
from quatrain.core.errors import UserError

finished: list[Any] = []
"""The accounts of the jobs of the sweep that ran last in this process: Hydra does not hand them back."""


def sweep(sweeper: Any, arguments: list[str]) -> list[Any]:
    """Run the grid that ``arguments`` and ``hydra.sweeper.params`` span; return what the launcher returned.

    Raises:
        UserError: before anything is written, with every mistake of every job; a mistake of several is told once.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create(config_loader=sweeper.hydra_context.config_loader)
    own = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    batches = sweeper.split_arguments(parser.parse_overrides([*own, *arguments]), sweeper.max_batch_size)
    jobs = [list(job) for batch in batches for job in batch]
    configs = check_all(jobs)
    if hasattr(sweeper.launcher, "checked"):
        sweeper.launcher.checked = {tuple(job): config for job, config in zip(jobs, configs, strict=True)}
    finished.clear()
    for batch in batches:
        finished.extend(sweeper.launcher.launch(batch, initial_job_idx=len(finished)))
    return list(finished)


def check_all(jobs: list[list[str]]) -> list[dict[str, Any]]:
    """Compose and check every job; raise once, with all that is wrong and the numbers of the jobs that it concerns."""
    configs: list[dict[str, Any]] = []
    mistakes: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        try:
            configs.append(compose_here([text.removeprefix("++") for text in job], []))
        except UserError as error:
            for sentence in error.sentences:
                mistakes.setdefault(sentence, []).append(number)
    if mistakes:
        raise UserError(
            sentence
            if len(numbers) == len(jobs)
            else f"{sentence} (job {', '.join(map(str, numbers))} of 0 to {len(jobs) - 1})"
            for sentence, numbers in mistakes.items()
        )
    return configs
