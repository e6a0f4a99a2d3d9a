"""A sweep: expand the grid, compose and check every job, then launch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.config.compose import compose_here, hydra_composed, searched
from quatrain.config.elsewhere import launched
from quatrain.core.errors import UserError
from quatrain.sweeps.forkserver import warm_up
from quatrain.sweeps.job import Ended, Job, Source
from quatrain.sweeps.local import Grid, run_sweep
from quatrain.sweeps.search_settings import is_search

GRIDS = ("hydra_plugins.quatrain.sweeper.QuatrainSweeper", "hydra._internal.core_plugins.basic_sweeper.BasicSweeper")
"""Sweepers whose jobs are known before the first one runs."""


@dataclass(frozen=True)
class Swept:
    """How the jobs of a sweep ended, out of how many, and where they lie; and whether its best was told already."""

    ended: list[Ended]
    total: int
    folder: Path
    best_told: bool = False


finished: list[Swept] = []
"""The sweep that ran last in this process: Hydra does not hand it back."""


def sweep(sweeper: Any, arguments: list[str]) -> list[Any]:
    """Run the grid that ``arguments`` and ``hydra.sweeper.params`` span; `finished` tells how it ended.

    Raises:
        UserError: before anything is written, with every mistake of every job; a mistake of several is told once.
        SweepInterrupted: a signal ended it.
    """
    overrides = parsed(sweeper.params, arguments, sweeper.hydra_context.config_loader)
    _check_size(overrides, sweeper.max_batch_size)
    lines = _swept_first(next(iter(sweeper.split_arguments(overrides, None))))
    size = sweeper.max_batch_size or len(lines)
    here = hasattr(sweeper.launcher, "run")
    if here:
        warm_up()  # it imports while the jobs are checked
    jobs = jobs_of(lines)
    folder = folder_of(sweeper.config)
    finished.clear()
    ended = sweeper.launcher.run(Grid(jobs)) if here else launched(sweeper.launcher, jobs, lines, at_a_time=size)
    finished.append(Swept(ended, len(jobs), folder))
    return ended


def _swept_first(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each line with what sets it apart before what all share, so that a folder's name begins with it."""
    same = set(lines[0]).intersection(*lines) if len(lines) > 1 else set()
    return [sorted(line, key=lambda text: text in same) for line in lines]


def folder_of(config: Any) -> Path:
    """The absolute folder of the sweep that Hydra has composed."""
    return Path(str(config.hydra.sweep.dir)).absolute()


def jobs_of(
    lines: list[list[str]], first: int = 0, folders: Sequence[str] = (), *, one_folder: bool = False
) -> list[Job]:
    """Compose and check a job of each line of overrides; ``one_folder``: ``run.dir`` may name that of all of them.

    Raises:
        UserError: with every mistake of every job.
    """
    configs = check_all(lines, folders, one_folder=one_folder)
    texts = [[text.removeprefix("++") for text in line] for line in lines]
    same = set(texts[0]).intersection(*texts) if len(texts) > 1 else set()
    return [
        Job(number, config, own, [text for text in own if text not in same])
        for number, (config, own) in enumerate(zip(configs, texts, strict=True), start=first)
    ]


def run(launcher: Any, source: Source) -> list[Ended]:
    """Run the jobs of ``source`` on this machine, as our launcher does."""
    settings = launcher.config.sweep
    return run_sweep(source, folder_of(launcher.config), jobs=settings.jobs, fail_fast=settings.fail_fast)


def launch(launcher: Any, lines: Sequence[Sequence[str]], first: int) -> list[Any]:
    """Run ``lines`` of overrides on this machine, and return Hydra's account of each, in their order."""
    from hydra.core.utils import JobReturn, JobStatus

    jobs = jobs_of([list(line) for line in lines], first)
    ends = {ended.job.number: ended for ended in run(launcher, Grid(jobs))}
    accounts = []
    for job in jobs:
        ended = ends.get(job.number) or Ended(job, "failed", None, "It was not started, as another had failed.")
        account = JobReturn(overrides=list(ended.job.overrides), cfg=None, hydra_cfg=None, task_name="quatrain")
        account.status = JobStatus.COMPLETED if ended.status in ("done", "pruned") else JobStatus.FAILED
        account.return_value = ended.result if ended.why is None else RuntimeError(ended.why)
        accounts.append(account)
    return accounts


def grid(arguments: list[str], folders: list[str]) -> list[Job]:
    """Every job that ``arguments`` span, composed and checked; nothing is launched. See `lines_of`.

    Raises:
        UserError: with every mistake of every job, or as `lines_of`.
    """
    return jobs_of(lines_of(arguments, folders), folders=folders)


def lines_of(arguments: list[str], folders: list[str]) -> list[list[str]]:
    """The overrides of each job that ``arguments`` span, as Hydra has them.

    Must run inside of `quatrain.config.compose.hydra_at`; ``folders`` are the user's own, absolute.

    Raises:
        UserError: the sweep cannot be listed, or the sweeper is one that chooses its jobs as it goes.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.global_hydra import GlobalHydra

    loader = GlobalHydra.instance().config_loader()
    composed = hydra_composed([*searched(folders), *unswept(arguments)], return_hydra_config=True)
    sweeper = composed.hydra.sweeper
    if sweeper._target_ not in GRIDS:
        group = "sweep" if is_search(composed.sweep) else "hydra/sweeper"
        raise UserError(
            f"{group}={composed.hydra.runtime.choices[group]} chooses its jobs by what came before; leave it out and"
            " list the values."
        )
    overrides = parsed(sweeper.params, arguments, loader)
    _check_size(overrides, None)
    (lines,) = BasicSweeper.split_arguments(overrides, None)
    return _swept_first(lines)


def unswept(arguments: list[str]) -> list[str]:
    """Those of ``arguments`` that are the same for all jobs; must run inside of `hydra_at`."""
    from hydra.core.global_hydra import GlobalHydra

    loader = GlobalHydra.instance().config_loader()
    return [str(one.input_line) for one in parsed(None, arguments, loader) if not one.is_sweep_override()]


def parsed(params: Any, arguments: list[str], loader: Any) -> list[Any]:
    """Overrides as Hydra reads them, those of ``hydra.sweeper.params`` first."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    own = [f"{key}={value}" for key, value in (params or {}).items()]
    return list(OverridesParser.create(config_loader=loader).parse_overrides([*own, *arguments]))


def _check_size(overrides: list[Any], batch: Any) -> None:
    """Refuse what cannot be listed, before it is."""
    from quatrain.config.choices import Choices
    from quatrain.config.swept_values import MOST_JOBS, interval_mistake, sweep_mistake

    choices = Choices([])
    told = [
        (interval_mistake(text, one), sweep_mistake(text, one, choices))
        for one in overrides
        if (text := str(one.input_line))
    ]
    mistakes = [sentence for pair in told for sentence in pair if sentence]
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


def check_all(jobs: list[list[str]], folders: Sequence[str] = (), *, one_folder: bool = False) -> list[dict[str, Any]]:
    """Compose and check every job; raise once, with all that is wrong and the numbers of the jobs that it concerns."""
    configs: list[dict[str, Any]] = []
    mistakes: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        try:
            config = compose_here([text.removeprefix("++") for text in job], list(folders))
            if (own := config["run"]["dir"]) and not one_folder:
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
