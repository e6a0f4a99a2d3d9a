"""A search: check all that can be checked, then have trials run until there are enough."""

import sys
from collections.abc import Sequence
from typing import Any

from quatrain.config.choices import Choices
from quatrain.config.compose import compose_here
from quatrain.config.elsewhere import launched
from quatrain.config.objective import objective_of
from quatrain.config.search_checks import SWEEPER, check_sampler, needed_packages
from quatrain.config.search_space import split
from quatrain.config.sweeping import Swept, finished, folder_of, parsed
from quatrain.core.errors import UserError
from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable
from quatrain.runs.naming import NOT_IDENTITY
from quatrain.sweeps.best_trial import conclude_search
from quatrain.sweeps.forkserver import warm_up
from quatrain.sweeps.job import Ended
from quatrain.sweeps.search import Search
from quatrain.sweeps.search_settings import is_search, search_settings
from quatrain.sweeps.space import Parameter
from quatrain.sweeps.study import Objective

OWN_SCORE = "the data's own score"


def search(sweeper: Any, arguments: list[str]) -> list[Ended]:
    """Run the search that ``arguments`` and ``hydra.sweeper.params`` ask for; return how its jobs ended.

    Raises:
        UserError: before anything is written: with every mistake in the settings, in the space, and in the experiment
            at the bounds and choices of each parameter; or what stands in the folder is of another search.
        SweepInterrupted: a signal ended it.
    """
    if not is_search(sweeper.config.sweep):
        raise UserError(f"hydra/sweeper={SWEEPER} searches as sweep=optuna says; give that instead.")
    if missing := list(needed_packages()):
        raise UserError(missing)
    overrides = parsed(sweeper.params, arguments, sweeper.hydra_context.config_loader)
    space, written = split(overrides, Choices([]))
    if not space:
        raise UserError("There is nothing to search; give a range of values, as in optimizer.lr=interval(1e-5,1e-2).")
    if hasattr(sweeper.launcher, "run"):
        warm_up()  # it imports while the jobs are checked
    fixed = [text.removeprefix("++") for text in written]
    base, objective = check_corners(space, fixed)
    settings = search_settings(base["sweep"])
    if wrong := [*needed_packages(settings), *check_sampler(settings, space)]:
        raise UserError(wrong)
    source = Search(
        folder=folder_of(sweeper.config),
        settings=settings,
        space=space,
        fixed=fixed,
        base={name: value for name, value in base.items() if name not in NOT_IDENTITY},
        objective=objective,
        compose=lambda texts: compose_here(texts, []),
        tell=_tell,
    )
    finished.clear()
    try:
        if hasattr(sweeper.launcher, "run"):
            ended = list(sweeper.launcher.run(source))
        else:
            forced = {one.key_or_group for one in overrides if one.is_force_add()}
            ended = _in_batches(sweeper.launcher, source, base["sweep"]["jobs"], forced)
    finally:
        conclude_search(source, _tell)
    finished.append(Swept(ended, len(ended) + source.left(), source.folder, best_told=True))
    return ended


def check_corners(
    space: Sequence[Parameter], fixed: Sequence[str], folders: Sequence[str] = ()
) -> tuple[dict[str, Any], Objective]:
    """Compose and check the experiment at each bound and choice of each parameter, the others at their first value.

    Returns:
        the config where all have their first value, and the objective.

    Raises:
        UserError: with every mistake once, and the values that it comes with where not all have it.
    """
    first = [one.probes()[0] for one in space]
    corners = [first]
    for place, one in enumerate(space):
        corners += [[*first[:place], probe, *first[place + 1 :]] for probe in one.probes()[1:]]
    configs, objectives = [], []
    mistakes: dict[str, list[int]] = {}
    for number, corner in enumerate(corners):
        try:
            config = compose_here([*fixed, *corner], list(folders))
            _refuse_places(config)
            objectives.append(objective_of(config))
            configs.append(config)
        except UserError as error:
            for sentence in error.sentences:
                mistakes.setdefault(sentence, []).append(number)
    if mistakes:
        raise UserError(
            sentence if len(where) == len(corners) else f"{sentence} ({_at(corners[where[0]], first)})"
            for sentence, where in mistakes.items()
        )
    if len(set(objectives)) > 1:
        named = " and ".join(sorted({f"{one.mode} of {one.monitor or OWN_SCORE}" for one in objectives}))
        raise UserError(
            f"The scores of these experiments cannot be compared ({named}); search within one kind of data."
        )
    return configs[0], objectives[0]


def _refuse_places(config: dict[str, Any]) -> None:
    if own := config["run"]["dir"]:
        raise UserError(f"run.dir={own} names the folder of one run, and a search has several; leave it out.")
    if (trial := config["sweep"]["trial"]) is not None:
        raise UserError(f"sweep.trial={trial} is set by the search for each of its jobs; leave it out.")


def _at(corner: list[str], first: list[str]) -> str:
    apart = [text for text, usual in zip(corner, first, strict=True) if text != usual]
    return f"with {' '.join(apart or corner)}"


def _in_batches(launcher: Any, source: Search, jobs: int, forced: set[str]) -> list[Ended]:
    """Have a launcher of others, which wants all jobs at once, run ``jobs`` at a time.

    ``forced`` are the keys that no YAML lists, to which Hydra must be told ``++``.
    """
    every: list[Ended] = []
    while batch := [job for _ in range(jobs) if (job := source.next()) is not None]:
        lines = [[f"++{text}" if text.split("=")[0] in forced else text for text in job.overrides] for job in batch]
        for ended in launched(launcher, batch, lines):
            source.ended(ended)
            every.append(ended)
    return every


def _tell(line: str) -> None:
    print(printable(redact_text(line)), file=sys.stderr, flush=True)
