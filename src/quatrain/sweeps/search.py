"""A search as a source of jobs: each is a trial of the study in the sweep's folder."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.compare.study_notes import FOLDER, IDENTITY, MONITOR, REFUSED, SAME_AS
from quatrain.core.errors import UserError
from quatrain.sweeps.job import Ended, Job
from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.space import Parameter, grid_size, overrides_of
from quatrain.sweeps.study import Objective
from quatrain.sweeps.trials import Trials

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


MOST_REFUSED = 10
"""Suggestions that do not even compose, for each trial that is wanted, before a search gives up."""


class Search:
    """Asks a study for trials until ``settings.trials`` of them are complete or pruned; a `quatrain.sweeps.job.Source`.

    Trials whose process is gone come first, under their own numbers; then those that failed in an earlier command; then
    new ones. A command starts no more jobs than trials are wanting, so that what fails at once does not go on for ever.
    Several commands may search in one folder; together they start no more trials than are asked for. A trial of the
    same config as an earlier one shares its result and is not run.

    Args:
        folder: the sweep's; made where there is none.
        settings: of the search.
        space: what is searched.
        fixed: the overrides that all trials have.
        base: the experiment besides the searched keys, by which a study of another one is told.
        objective: what is searched for.
        compose: makes and checks the config of some overrides; raises `UserError`.
        tell: takes lines for the eye.

    Raises:
        UserError: the folder holds another search, or its study cannot be read.
    """

    def __init__(
        self,
        *,
        folder: Path,
        settings: SearchSettings,
        space: Sequence[Parameter],
        fixed: Sequence[str],
        base: Mapping[str, Any],
        objective: Objective,
        compose: Callable[[list[str]], dict[str, Any]],
        tell: Callable[[str], None],
    ) -> None:
        self.folder, self.space, self.fixed, self.objective = folder, list(space), list(fixed), objective
        self.trials = Trials(folder, settings, space, base, objective)
        self._asked_for = settings.trials
        self._points = grid_size(space) if settings.sampler == "grid" else None
        self._compose, self._tell_user = compose, tell
        with self.trials.held():
            self.total = max(0, self.wanted - len(self.trials.over()))
            if self.total:
                self.trials.try_again()

    @property
    def wanted(self) -> int:
        """How many trials there are to be in the end: of a grid no more than it has points that fit together."""
        if self._points is None:
            return self._asked_for
        return min(self._asked_for, self._points - len(self.trials.refused()))

    def next(self) -> Job | None:
        """The job of the next trial; None when enough are complete, pruned or under way."""
        while True:
            with self.trials.held():
                self.trials.share()
                trial = self.trials.abandoned()
                if trial is None:
                    if self._room() <= 0:
                        return None
                    trial = self.trials.ask()
                job = self._job(trial)
            if job is not None:
                return job

    def ended(self, ended: Ended) -> None:
        """Tell the study what came of a job. One that was interrupted stays under way, for the next command."""
        number = ended.job.number
        with self.trials.held():
            if ended.run:
                self.trials.note(number, FOLDER, ended.run.path.name)
            if ended.status == "done":
                self._complete(number, ended.result or {})
            elif ended.status == "pruned":
                self.trials.prune(number)
            elif ended.status == "failed":
                self.trials.fail(number, ended.why or "failed")
            self.trials.share()

    def left(self) -> int:
        """How many trials are wanting that no command has begun."""
        with self.trials.held():
            return max(0, self._room())

    def _room(self) -> int:
        """How many more trials may be asked for now."""
        failed = [one for one in self.trials.of_state("FAIL") if one.number in self.trials.mine]
        return self.wanted - len(self.trials.over()) - len(self.trials.of_state("RUNNING")) - len(failed)

    def _give_up(self) -> None:
        """End a search whose suggestions hardly ever fit together."""
        refused = [one for one in self.trials.refused() if one.number in self.trials.mine]
        if len(refused) >= MOST_REFUSED * self._asked_for:
            why = refused[-1].user_attrs[REFUSED]
            raise UserError(
                f"{len(refused)} suggestions were refused, the last because: {why} Search only what fits together."
            )

    def _job(self, trial: "FrozenTrial") -> Job | None:
        """The job of a trial; None where it is refused, or has the result of an equal one."""
        given = overrides_of(self.space, trial.params)
        shown = f"trial {trial.number}: {' '.join(given)}"
        overrides = [*given, *self.fixed, f"sweep.trial={trial.number}"]  # a folder's name begins with what is searched
        try:
            job = Job(trial.number, self._compose(overrides), overrides, given)
        except UserError as error:
            self._tell_user(f"{shown}: {' '.join(error.sentences)}")
            self.trials.refuse(trial.number, " ".join(error.sentences))
            self._give_up()
            return None
        self.trials.note(trial.number, IDENTITY, job.identity)
        first = self.trials.first_equal(trial.number, job.identity)
        if first is None:
            self._tell_user(shown)
            return job
        self._tell_user(f"{shown} (the same as trial {first.number}, whose result it shares)")
        self.trials.note(trial.number, SAME_AS, first.number)
        self.trials.share()
        self.total -= 1
        return None

    def _complete(self, number: int, result: Mapping[str, Any]) -> None:
        """Tell the best value of the monitored score of a run that is done; without one it is a failure."""
        best = result.get("best") or {}
        name = result.get("monitor") or best.get("monitor")
        value = best.get(name)
        if name is None:
            self.trials.fail(
                number, "The run has no best checkpoint, for it was not validated; give a validation split."
            )
        elif self.objective.monitor not in (None, name):
            self.trials.fail(number, f"The run was judged by {name}, and the search is for {self.objective.monitor}.")
        elif not isinstance(value, int | float) or not math.isfinite(value):
            self.trials.fail(number, f"The best {name} of the run is {value}, no number to compare by.")
        else:
            self.trials.note(number, MONITOR, name)
            self.trials.complete(number, float(value))
