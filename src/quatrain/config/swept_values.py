"""Whether the values of a sweep can be listed: one, some, and not too many."""

from itertools import islice
from typing import Any

from hydra.core.override_parser.types import Glob, Override, RangeSweep, ValueType

from quatrain.config.choices import Choices

MOST_JOBS = 1000
"""The largest sweep that one command starts; all its jobs are composed and checked before the first."""

ONCE = ("sweep.name", "run.root", "hydra.sweep.dir")


def interval_mistake(text: str, override: Override) -> str | None:
    """Say what to do about an interval where nothing is searched."""
    if override.value_type != ValueType.INTERVAL_SWEEP:
        return None
    key = override.key_or_group
    return (
        f"{text}: an interval has no values to run one by one; list them, as in {key}=1,2,3 or range(1,4), or search it"
        " with sweep=optuna."
    )


def sweep_mistake(text: str, override: Override, choices: Choices) -> str | None:
    """Say what is wrong with a swept value besides `interval_mistake`; None where all is well or nothing is swept."""
    if not override.is_sweep_override():
        return None
    key = override.key_or_group
    if key in ONCE:
        return f"{text}: a sweep has one {key}; give a single value."
    if override.value_type == ValueType.INTERVAL_SWEEP:
        return f"{text}: {key} has options and no numbers; list some of them." if choices.is_group(override) else None
    value: Any = override.value()
    if isinstance(value, Glob):
        if not choices.is_group(override):
            return f"{text}: glob() picks among a group's options, and {key} is no group; list the values."
        if not choices.chosen(override):
            options = ", ".join(choices.options(key))
            return f"{text}: no option of {key} has such a name; one of {options}."
        return None
    return f"{text}: {problem}" if (problem := _countable(value, override)) else None


def _countable(value: Any, override: Override) -> str | None:
    many = f"these are more than {MOST_JOBS} values, the most jobs of one sweep; take fewer."
    try:
        # counted before Hydra lists them, as it does to shuffle
        values = value.range() if isinstance(value, RangeSweep) else override.sweep_iterator()
        count = len(list(islice(values, MOST_JOBS + 1)))
    except (ValueError, TypeError, ArithmeticError):
        return "these are no values that can be listed; write them one by one."
    if count == 0:
        return "there is no value in it, so there is nothing to run; list the values."
    return many if count > MOST_JOBS else None
