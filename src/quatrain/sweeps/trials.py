"""The trials of a study: asked for, taken over from a process that is gone, shared among equals, and told."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.compare.study_notes import IDENTITY, NAME, OWNER, REFUSED, RETRY_OF, SAME_AS, WHY
from quatrain.runs.identity import is_alive, start_of
from quatrain.sweeps.samplers import make_sampler
from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.space import Parameter
from quatrain.sweeps.study import Objective, begin_study, readable, study_file

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class Trials:
    """The trials in one study. Whatever changes them stands within `held`, which keeps other commands out."""

    def __init__(
        self,
        folder: Path,
        settings: SearchSettings,
        space: Sequence[Parameter],
        base: Mapping[str, Any],
        objective: Objective,
    ) -> None:
        self.folder, self.settings, self.space = folder, settings, list(space)
        self.mine: set[int] = set()
        """The numbers of those that this command has asked for or taken over."""
        self._path = study_file(folder, settings)
        folder.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock

        self._lock = FileLock(folder / ".optuna.lock", poll_interval=0.02)
        with self._lock:
            self._study = begin_study(folder, settings, space, base, objective)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands out; the system lets go when the process ends."""
        with self._lock, readable(self._path):
            yield

    def all(self) -> "list[FrozenTrial]":
        """Every trial, by number."""
        return self._study.get_trials(deepcopy=False)

    def of_state(self, *names: str) -> "list[FrozenTrial]":
        """Those of the states that Optuna calls COMPLETE, PRUNED, FAIL, RUNNING and WAITING."""
        return [one for one in self.all() if one.state.name in names]

    def over(self) -> "list[FrozenTrial]":
        """Those that count: complete, or ended early by the pruner."""
        return [one for one in self.of_state("COMPLETE", "PRUNED") if REFUSED not in one.user_attrs]

    def refused(self) -> "list[FrozenTrial]":
        """Those whose parameters do not fit together."""
        return [one for one in self.all() if REFUSED in one.user_attrs]

    def abandoned(self) -> "FrozenTrial | None":
        """The first that was under way in a process which is gone, or on another host, with all its parameters.

        Whether a job of another host still runs tells its claim, when it is begun (`quatrain.sweeps.claims`).
        """
        for one in self.of_state("RUNNING"):
            if one.number not in self.mine and SAME_AS not in one.user_attrs and not _is_run(one.user_attrs.get(OWNER)):
                return self._own(one.number)
        return None

    def ask(self) -> "FrozenTrial":
        """A new trial with its parameters, or the next of those that are to be tried again."""
        waiting = self.of_state("WAITING")
        number = waiting[0].number if waiting else len(self.all())
        study = self._with_sampler("ask", number)
        assert study.ask().number == number
        return self._own(number)

    def try_again(self) -> None:
        """Queue the parameters of each trial that failed in an earlier command and was not tried again since."""
        again = {one.user_attrs.get(RETRY_OF) for one in self.all()}
        for one in self.of_state("FAIL"):
            if one.number not in {*again, *self.mine} and SAME_AS not in one.user_attrs:
                self._study.enqueue_trial(dict(one.params), user_attrs={RETRY_OF: one.number})

    def note(self, number: int, name: str, value: Any) -> None:
        """Note something with a trial that is under way."""
        trial = self._frozen(number)
        if not trial.state.is_finished():
            self._study._storage.set_trial_user_attr(trial._trial_id, name, value)

    def first_equal(self, number: int, identity: str) -> "FrozenTrial | None":
        """An earlier trial of the same config that has, or will have, a result."""
        for one in self.all():
            same = one.user_attrs.get(IDENTITY) == identity and SAME_AS not in one.user_attrs
            if same and one.number < number and one.state.name in ("COMPLETE", "PRUNED", "RUNNING"):
                return one
        return None

    def share(self) -> None:
        """Tell the trials that wait for an equal one what came of it."""
        for one in self.of_state("RUNNING"):
            first = one.user_attrs.get(SAME_AS)
            if first is None:
                continue
            original = self._frozen(first)
            if original.state.name == "FAIL":
                self.fail(one.number, f"It is the same as trial {first}, which failed.")
            elif original.state.is_finished():
                for step, value in original.intermediate_values.items():
                    if step not in one.intermediate_values:
                        self._study._storage.set_trial_intermediate_value(one._trial_id, step, value)
                self._tell(
                    one.number, original.state.name, original.value if original.state.name == "COMPLETE" else None
                )

    def complete(self, number: int, value: float) -> None:
        """Tell that a trial is done."""
        self._tell(number, "COMPLETE", value)

    def prune(self, number: int) -> None:
        """Tell that the pruner ended a trial."""
        self._tell(number, "PRUNED")

    def refuse(self, number: int, why: str) -> None:
        """Tell that the parameters of a trial do not fit together.

        To Optuna it is pruned before its first score, the worst there is: what fails a sampler does not look at, and
        so would suggest again and again.
        """
        self.note(number, REFUSED, why)
        self._tell(number, "PRUNED")

    def fail(self, number: int, why: str) -> None:
        """Tell that a trial failed."""
        self.note(number, WHY, why)
        self._tell(number, "FAIL")

    def best(self) -> "FrozenTrial | None":
        """The complete trial of the best value, of equals the first."""
        complete = [one for one in self.of_state("COMPLETE") if one.value is not None]
        sign = 1 if self._study.direction.name == "MINIMIZE" else -1
        return min(complete, key=lambda one: (sign * float(one.value or 0.0), one.number), default=None)

    def _tell(self, number: int, state: str, value: float | None = None) -> None:
        from optuna.trial import TrialState

        if not self._frozen(number).state.is_finished():
            self._study.tell(number, value, state=TrialState[state])

    def _own(self, number: int) -> "FrozenTrial":
        """Make a trial that is under way this process's, and have what its parameters lack suggested.

        What all are drawn from together comes from one draw, what is drawn alone from a draw of its own, so that a
        trial whose process was killed half-way gets the values that it would have got.
        """
        from optuna.trial import Trial

        self.mine.add(number)
        self.note(number, OWNER, {"host": socket.gethostname(), "pid": os.getpid(), "start": start_of(os.getpid())})
        study = self._with_sampler("together", number)
        trial = Trial(study, self._frozen(number)._trial_id)
        _ = trial.relative_params  # Optuna draws these when first asked
        for parameter in self.space:
            study.sampler = self._sampler(parameter.key, number)
            parameter.suggest(trial)
        return self._frozen(number)

    def _with_sampler(self, draw: str, number: int) -> "Study":
        import optuna

        return optuna.load_study(
            study_name=NAME,
            storage=self._study._storage,
            sampler=self._sampler(draw, number),
            pruner=self._study.pruner,
        )

    def _sampler(self, draw: str, number: int) -> Any:
        return make_sampler(self.settings, self.space, number, draw)

    def _frozen(self, number: int) -> "FrozenTrial":
        return self.all()[number]


def _is_run(owner: Mapping[str, Any] | None) -> bool:
    """Whether the process that asked for a trial is on this host, and there."""
    here = owner is not None and owner["host"] == socket.gethostname()
    return owner is not None and here and is_alive(owner["pid"], owner["start"])
