"""Search spaces in Hydra's grammar become Optuna's distributions, and their values overrides that Hydra reads back."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings, strategies
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from quatrain.config.choices import Choices
from quatrain.config.compose import hydra_at
from quatrain.config.folder import conf_folder
from quatrain.config.search_space import split
from quatrain.core.errors import UserError
from quatrain.sweeps.space import Parameter, grid_size


def spanned(*texts: str) -> tuple[list[Parameter], list[str]]:
    with hydra_at(conf_folder()):
        return split(OverridesParser.create().parse_overrides(list(texts)), Choices([]))


def one(text: str) -> Parameter:
    (found,) = spanned(text)[0]
    return found


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("optimizer.lr=interval(1e-5,1e-2)", FloatDistribution(1e-5, 1e-2)),
        ("optimizer.lr=tag(log, interval(1e-5, 1e-2))", FloatDistribution(1e-5, 1e-2, log=True)),
        ("data.batch_size=int(interval(8, 64))", IntDistribution(8, 64)),
        ("data.batch_size=tag(log, int(interval(8, 64)))", IntDistribution(8, 64, log=True)),
        ("data.batch_size=int(tag(log, interval(8, 64)))", IntDistribution(8, 64, log=True)),
        ("data.batch_size=range(8, 33, 8)", IntDistribution(8, 32, step=8)),
        ("data.batch_size=range(4, 0, -1)", IntDistribution(1, 4)),
        ("schedule.warmup=range(0.0, 0.35, 0.1)", FloatDistribution(0.0, 0.3, step=0.1)),
        ("data.batch_size=8,16", CategoricalDistribution([8, 16])),
        ("data.batch_size=choice(8, 16, 8)", CategoricalDistribution([8, 16])),
        ("optimizer.amsgrad=true,false", CategoricalDistribution([True, False])),
        ("optimizer.betas=[0.9,0.98],[0.9,0.999]", CategoricalDistribution(["[0.9,0.98]", "[0.9,0.999]"])),
        ("trainer.gradient_clip_val=null,1.0", CategoricalDistribution(["null", 1.0])),
        ("data.stride=1,1.0", CategoricalDistribution(["1", "1.0"])),  # equal to Python, not to an experiment
        ("schedule=linear,cosine", CategoricalDistribution(["linear", "cosine"])),
        ("schedule=glob(c*)", CategoricalDistribution(["constant", "cosine"])),
    ],
)
def test_a_sweep_is_the_distribution_that_its_words_say(text: str, distribution: Any) -> None:
    assert one(text).distribution == distribution


def test_a_range_has_the_values_that_hydra_lists_without_their_rounding_noise() -> None:
    (listed,) = OverridesParser.create().parse_overrides(["schedule.warmup=range(0.1,0.5,0.1)"])
    found = one("schedule.warmup=range(0.1,0.5,0.1)")
    assert found.grid() == pytest.approx(list(listed.sweep_iterator()))
    assert [found.override(value) for value in found.grid()] == [f"schedule.warmup=0.{place}" for place in range(1, 5)]


def test_a_single_value_takes_a_key_out_of_the_search_and_the_rest_stays_as_written() -> None:
    space, fixed = spanned("optimizer.lr=interval(0,1)", "seed=1", "data.batch_size=8,16", "optimizer.lr=1e-3")
    assert [found.key for found in space] == ["data.batch_size"]
    assert fixed == ["optimizer.lr=1e-3", "seed=1"]


@settings(max_examples=50, deadline=None)
@given(low=strategies.floats(1e-12, 1e3), width=strategies.floats(1e-9, 1e3), share=strategies.floats(0, 1))
def test_hydra_reads_back_exactly_the_value_that_was_drawn(low: float, width: float, share: float) -> None:
    """Whatever the exponent of the number: what Optuna learns from is what ran."""
    high = low + width
    value = min(high, low + share * (high - low))
    text = Parameter("optimizer.lr", FloatDistribution(low, high)).override(value)
    (read,) = OverridesParser.create().parse_overrides([text])
    assert read.value() == value


def test_choices_keep_their_quotes_and_bounds_are_probed() -> None:
    names = one("data.source='a b.txt','c,d.txt'")
    assert [names.override(value) for value in names.distribution.choices] == [
        "data.source='a b.txt'",
        "data.source='c,d.txt'",
    ]
    assert names.probes() == [names.override(value) for value in names.distribution.choices]
    assert one("optimizer.lr=interval(1e-5,1e-2)").probes() == ["optimizer.lr=1e-05", "optimizer.lr=0.01"]


def test_the_size_of_a_grid() -> None:
    space, _ = spanned("optimizer.lr=1e-3,1e-2", "data.batch_size=range(8,33,8)")
    assert grid_size(space) == 8
    assert grid_size([*space, one("optimizer.eps=interval(0,1)")]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimizer.lr=interval(1,0)", "give the smaller number first"),
        ("optimizer.lr=tag(log,interval(0,1))", "needs numbers above 0"),
        ("optimizer.lr=interval(0,inf)", "two finite ends"),
        ("optimizer.lr=tag(lag,interval(1,2))", "there is no tag lag"),
        ("optimizer.lr=tag(log,range(1,2))", "only an interval can be logarithmic"),
        ("data.batch_size=range(3,3)", "there is no value in it"),
        ("schedule=interval(1,2)", "is a group"),
        ("sweep.jobs=1,2", "changes nothing that is learned"),
        ("hydra.sweep.dir=a,b", "changes nothing that is learned"),
    ],
)
def test_what_cannot_be_searched_is_told(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as raised:
        spanned(text, "optimizer.eps=interval(2,1)")
    assert len(raised.value.sentences) == 2  # all mistakes at once
    assert raised.value.sentences[0].startswith(text)
