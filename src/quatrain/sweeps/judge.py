"""Asking the study, from within a run of a search, whether the run is worth going on with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.compare.study_notes import IDENTITY, RETRY_OF
from quatrain.core.errors import UserError
from quatrain.runs.naming import identity_hash
from quatrain.sweeps.search_settings import SearchSettings, is_search, search_settings
from quatrain.sweeps.study import open_study, readable, study_file

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


def may_be_pruned(sweep: Mapping[str, Any]) -> bool:
    """Whether a config's group ``sweep`` makes its run a trial that may be ended early."""
    return is_search(sweep) and sweep["trial"] is not None and sweep["pruner"] != "none"


class Judge:
    """Reports a run's scores to its trial in the study beside it, in ``folder``; says whether the pruner ends it.

    ``config`` is the run's as it was frozen, by which its trial is told.

    A study that is not there, cannot be read, or holds no such trial under way ends nothing: the run goes on, and
    ``tell`` hears of it once.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        self._folder, self._identity = folder, identity_hash(config)
        self._settings: SearchSettings = search_settings(config["sweep"])
        self._tell = tell
        self._study: Study | None = None
        self._given_up = False

    def __call__(self, validation: int, value: float) -> bool:
        """Report ``value`` of the run's ``validation``-th validation, unless it was; True where the run is to end."""
        if self._given_up:
            return False
        try:
            with readable(study_file(self._folder, self._settings)):
                return self._judge(validation, value)
        except (UserError, ImportError) as error:
            self._given_up = True
            self._tell(f"no longer judged by its search, and goes on to its end: {error}")
            return False

    def _judge(self, validation: int, value: float) -> bool:
        from optuna.trial import Trial

        if self._study is None:
            self._study = open_study(self._folder, self._settings)
        frozen = self._trial(self._study)
        trial = Trial(self._study, frozen._trial_id)
        if validation not in frozen.intermediate_values:
            trial.report(value, validation)
        return trial.should_prune()

    def _trial(self, study: "Study") -> "FrozenTrial":
        """This run's trial: the one that it was frozen for, or the last that tries that again."""
        trials = study.get_trials(deepcopy=False)
        again = {one.user_attrs.get(RETRY_OF): one for one in trials}
        number = self._settings.trial
        found = trials[number] if number is not None and number < len(trials) else None
        while found is not None and found.number in again:
            found = again[found.number]
        if found is None or found.user_attrs.get(IDENTITY) != self._identity or found.state.name != "RUNNING":
            raise UserError(
                f"trial {number} of {study_file(self._folder, self._settings)} is not this run's, or ended."
            )
        return found
