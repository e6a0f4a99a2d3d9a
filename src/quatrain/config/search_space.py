"""The space of a search, from overrides in Hydra's grammar: what is searched, and what all trials have."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import FloatRange, Glob, IntervalSweep, Override, RangeSweep, Transformer

from quatrain.config.choices import Choices
from quatrain.core.errors import UserError
from quatrain.runs.naming import NOT_IDENTITY
from quatrain.sweeps.space import Parameter

LONGEST_RANGE = 10**9


def split(overrides: Sequence[Override], choices: Choices) -> tuple[list[Parameter], list[str]]:
    """Return the parameters that ``overrides`` span, and the other overrides as they were written.

    Of two for one key the last counts, so that a single value takes a key out of a search that a config file names.
    ``interval(a,b)`` is a range of real numbers, both ends in it, ``int(interval(a,b))`` of whole ones, and
    ``tag(log, ...)`` makes either logarithmic; ``range(a,b,c)`` has the values that Hydra lists, b left out, in their
    order; commas, ``choice(...)`` and ``glob(...)`` name values without an order.

    Raises:
        UserError: with a sentence for each that has no values, or is no key of an experiment.
    """
    last = {one.key_or_group: one for one in overrides}
    space, fixed, mistakes = [], [], []
    for one in last.values():
        if not one.is_sweep_override():
            fixed.append(str(one.input_line))
            continue
        wrong = list(_mistakes(one, choices))
        mistakes += wrong
        if not wrong:
            space.append(_parameter(one, choices))
    if mistakes:
        raise UserError(mistakes)
    return space, fixed


def _mistakes(override: Override, choices: Choices) -> Iterator[str]:
    key, text, value = override.key_or_group, override.input_line, override.value()
    if key.split(".")[0].split("/")[0] in NOT_IDENTITY:
        yield f"{text}: {key} changes nothing that is learned; give a single value."
    elif isinstance(value, IntervalSweep):
        yield from _of_interval(f"{text}:", override, value, choices)
    elif isinstance(value, RangeSweep):
        yield from _of_range(f"{text}:", value)
    elif isinstance(value, Glob):
        if not choices.is_group(override) or not choices.chosen(override):
            yield f"{text}: no option of {key} has such a name; list the values."
    elif not list(override.sweep_iterator()):
        yield f"{text}: there is no value in it; list the values."
    tags: set[str] = getattr(value, "tags", set())
    if unknown := tags - {"log"}:
        names = ", ".join(sorted(unknown))
        yield f"{text}: there is no tag {names}; log is the only one, as in tag(log, interval(1e-5,1e-2))."
    elif tags and not isinstance(value, IntervalSweep):
        yield f"{text}: only an interval can be logarithmic; write tag(log, interval(A,B)), or leave tag out."


def _of_interval(text: str, override: Override, value: IntervalSweep, choices: Choices) -> Iterator[str]:
    low, high = value.start, value.end
    assert low is not None
    assert high is not None
    if choices.is_group(override):
        yield f"{text} {override.key_or_group} is a group, which has options and no numbers; list some of them."
    elif not (math.isfinite(low) and math.isfinite(high)):
        yield f"{text} an interval has two finite ends."
    elif low >= high:
        yield f"{text} the interval begins at {low} and ends at {high}; give the smaller number first."
    elif "log" in value.tags and low <= 0:
        yield f"{text} a logarithm needs numbers above 0, and the interval begins at {low}."


def _of_range(text: str, value: RangeSweep) -> Iterator[str]:
    try:
        count = _length(value)
    except (ArithmeticError, ValueError, TypeError):
        count = 0
    if count < 1:
        yield f"{text} there is no value in it; the end of a range is left out, as in range(1,4) for 1, 2 and 3."
    elif count > LONGEST_RANGE:
        yield f"{text} these are more than {LONGEST_RANGE:,} values; take an interval."


def _length(value: RangeSweep) -> int:
    """How many values a range has, without listing them."""
    values = value.range()
    if not isinstance(values, FloatRange):
        return len(values)
    start, stop, step = (Decimal(repr(one)) for one in (value.start, value.stop, value.step))
    return max(0, math.ceil((stop - start) / step))


def _parameter(override: Override, choices: Choices) -> Parameter:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    key, value = override.get_key_element().removeprefix("++"), override.value()
    if isinstance(value, IntervalSweep):
        log = "log" in value.tags
        if isinstance(value.start, int) and isinstance(value.end, int):
            return Parameter(key, IntDistribution(value.start, value.end, log=log))
        assert value.start is not None
        assert value.end is not None
        return Parameter(key, FloatDistribution(value.start, value.end, log=log))
    if isinstance(value, RangeSweep):
        first, step = value.start, value.step
        assert first is not None
        values = value.range()
        if not isinstance(values, FloatRange):
            low, high = sorted((values[0], values[-1]))
            return Parameter(key, IntDistribution(low, high, step=abs(int(step))))
        ends = Decimal(repr(first)), Decimal(repr(first)) + (_length(value) - 1) * Decimal(repr(step))
        return Parameter(key, FloatDistribution(float(min(ends)), float(max(ends)), step=abs(float(step))))
    return _categorical(key, override, choices, CategoricalDistribution)


def _categorical(key: str, override: Override, choices: Choices, kind: Any) -> Parameter:
    if isinstance(override.value(), Glob):
        texts = [str(option) for option in choices.chosen(override)]
        values: list[Any] = list(texts)
    else:
        texts = list(override.sweep_string_iterator())
        values = list(override.sweep_iterator(transformer=Transformer.encode))
    by_text = dict(zip(texts, values, strict=True))
    plain = [value if isinstance(value, bool | int | float) else text for text, value in by_text.items()]
    told_apart = plain if len(set(plain)) == len(plain) else list(by_text)  # to Python 1, 1.0 and true are one
    return Parameter(key, kind(told_apart), tuple(by_text))
