"""What a search may choose: one parameter, its distribution in Optuna's terms, and its values as overrides."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


@dataclass(frozen=True)
class Parameter:
    """One key of the experiment that is searched.

    Args:
        key: as an override begins, a ``+`` included.
        distribution: Optuna's float, int or categorical distribution.
        texts: of a categorical one, each choice as it is written in an override.
    """

    key: str
    distribution: "BaseDistribution"
    texts: tuple[str, ...] = ()

    def suggest(self, trial: "Trial") -> Any:
        """Have Optuna choose the value for ``trial``; of a parameter that it has, that value."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return trial.suggest_categorical(self.key, one.choices)
        if isinstance(one, IntDistribution):
            return trial.suggest_int(self.key, one.low, one.high, step=one.step, log=one.log)
        assert isinstance(one, FloatDistribution)
        return trial.suggest_float(self.key, one.low, one.high, step=one.step, log=one.log)

    def override(self, value: Any) -> str:
        """The override that gives the parameter ``value``."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return f"{self.key}={self.texts[int(one.to_internal_repr(value))]}"
        if isinstance(one, FloatDistribution) and one.step is not None:
            # on the grid as it was written: 0.3 where the sum of its steps is 0.30000000000000004
            places = round((value - one.low) / one.step)
            return f"{self.key}={Decimal(repr(one.low)) + places * Decimal(repr(one.step))}"
        return f"{self.key}={value!r}"

    def probes(self) -> list[str]:
        """The overrides at its bounds, or at each choice; the first is the base of the others' probes."""
        return [self.override(value) for value in self._extremes()]

    def count(self) -> int | None:
        """How many values it has; None where they cannot be counted."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return len(one.choices)
        assert isinstance(one, FloatDistribution | IntDistribution)
        return None if one.step is None else round((one.high - one.low) / one.step) + 1

    def grid(self) -> list[Any]:
        """All its values, in order; only of one that has a `count`."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return list(one.choices)
        assert isinstance(one, FloatDistribution | IntDistribution)
        count = self.count()
        assert count is not None
        assert one.step is not None
        return [one.low + place * one.step for place in range(count)]

    def described(self) -> str:
        """The distribution and the written choices as one text, by which two spaces are compared."""
        from optuna.distributions import distribution_to_json

        return f"{distribution_to_json(self.distribution)} {' '.join(self.texts)}".strip()

    def is_number(self) -> bool:
        """Whether its values have an order and a distance."""
        from optuna.distributions import CategoricalDistribution

        return not isinstance(self.distribution, CategoricalDistribution)

    def _extremes(self) -> list[Any]:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return list(one.choices)
        assert isinstance(one, FloatDistribution | IntDistribution)
        return [one.low] if one.single() else [one.low, one.high]


def overrides_of(space: Sequence[Parameter], values: Mapping[str, Any]) -> list[str]:
    """The overrides that give each parameter of ``space`` its value among ``values``, by key."""
    return [one.override(values[one.key]) for one in space]


def grid_size(space: Sequence[Parameter]) -> int | None:
    """How many points the grid of all values has; None where one of the parameters has no end of them."""
    counts = [one.count() for one in space]
    return None if None in counts else math.prod(count for count in counts if count is not None)
