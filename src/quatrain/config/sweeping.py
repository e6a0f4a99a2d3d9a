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
    overrides = parser.parse_overrides([*own, *arguments])
    _check_size(overrides, sweeper.max_batch_size)
    batches = sweeper.split_arguments(overrides, sweeper.max_batch_size)
    jobs = [list(job) for batch in batches for job in batch]
    configs = check_all(jobs)
    if hasattr(sweeper.launcher, "checked"):
        sweeper.launcher.checked = {tuple(job): config for job, config in zip(jobs, configs, strict=True)}
    finished.clear()
    for batch in batches:
        finished.extend(sweeper.launcher.launch(batch, initial_job_idx=len(finished)))
    return list(finished)


def _check_size(overrides: list[Any], batch: Any) -> None:
    """Refuse what cannot be listed, before it is."""
    from quatrain.config.choices import Choices
    from quatrain.config.swept_values import MOST_JOBS, sweep_mistake

    choices = Choices([])
    mistakes = [told for one in overrides if (told := sweep_mistake(str(one.input_line), one, choices))]
    if batch is not None and (type(batch) is not int or batch < 1):
        mistakes.append(f"hydra.sweeper.max_batch_size={batch} does not fit; allowed is 1 or more, or null.")
    if mistakes:
        raise UserError(mistakes)
    count = 1
    for one in overrides:
        count *= sum(1 for _ in one.sweep_iterator()) if one.is_sweep_override() else 1
    if count > MOST_JOBS:
        raise UserError(
            f"The sweep has {count:,} jobs, and one command starts at most {MOST_JOBS:,}; sweep fewer values."
        )


def check_all(jobs: list[list[str]]) -> list[dict[str, Any]]:
    """Compose and check every job; raise once, with all that is wrong and the numbers of the jobs that it concerns."""
    configs: list[dict[str, Any]] = []
    mistakes: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        try:
            config = compose_here([text.removeprefix("++") for text in job], [])
            if own := config["run"]["dir"]:
                raise UserError(f"run.dir={own} names the folder of one run, and a sweep has several; leave it out.")
            configs.append(config)
        except UserError as error:
            for sentence in error.sentences:
                mistakes.setdefault(sentence, []).append(number)
    if mistakes:
        raise UserError(
            sentence if len(numbers) == len(jobs) else f"{sentence} ({_concerned(numbers, jobs)})"
            for sentence, numbers in mistakes.items()
        )
    return configs


def _concerned(numbers: list[int], jobs: list[list[str]]) -> str:
    """Which jobs a mistake is of: one by what sets it apart, several by their numbers."""
    if len(numbers) > 1:
        shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
        return f"jobs {shown} of 0 to {len(jobs) - 1}"
    common = set(jobs[0]).intersection(*jobs)
    apart = " ".join(text.removeprefix("++") for text in jobs[numbers[0]] if text not in common)
    return f"job {numbers[0]} of 0 to {len(jobs) - 1}: {apart}"
