"""Proves the learning-rate factors by hand and against transformers, and that the scheduler's state is plain."""

import io
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.training.schedules import Constant, Cosine, Linear, Schedule


def test_linear_by_hand() -> None:
    """Ten steps with a warm-up of four: up by quarters, down by sixths."""
    factors = [Linear(warmup=4).factor(step, 10) for step in range(11)]
    assert factors == pytest.approx([0, 0.25, 0.5, 0.75, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])


def test_a_share_is_of_all_steps_rounded_up() -> None:
    assert Linear(warmup=0.06).warmup_steps(100) == 6
    assert Linear(warmup=0.06).warmup_steps(101) == 7
    assert Linear(warmup=1.0).warmup_steps(7) == 7
    assert Linear(warmup=1).warmup_steps(7) == 1
    assert Linear().warmup_steps(7) == 0


def test_cosine_by_hand() -> None:
    """At a third of the way cos(pi/3) = 1/2, so the factor is 0.1 + 0.9 * 0.75."""
    schedule = Cosine(warmup=2, final_share=0.1)
    assert schedule.factor(1, 14) == 0.5
    assert schedule.factor(2, 14) == pytest.approx(1)
    assert schedule.factor(6, 14) == pytest.approx(0.1 + 0.9 * 0.75)
    assert schedule.factor(8, 14) == pytest.approx(0.55)
    assert schedule.factor(14, 14) == pytest.approx(0.1)
    assert schedule.factor(99, 14) == pytest.approx(0.1)


def test_constant_by_hand_and_without_an_end() -> None:
    assert [Constant(warmup=2).factor(step, math.inf) for step in range(5)] == [0, 0.5, 1, 1, 1]
    assert Constant().factor(0, 10) == 1


def test_equal_to_transformers() -> None:
    from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

    for own, theirs in (
        (Linear(warmup=5), get_linear_schedule_with_warmup),
        (Cosine(warmup=5), get_cosine_schedule_with_warmup),
    ):
        rates = []
        for attach in (own, lambda optimizer, total, theirs=theirs: theirs(optimizer, 5, total)):
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
            scheduler = attach(optimizer, 20)
            seen = []
            for _ in range(20):
                seen.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                scheduler.step()
            rates.append(seen)
        assert rates[0] == pytest.approx(rates[1])


@settings(max_examples=50, deadline=None)
@given(
    schedule=st.one_of(
        st.builds(Linear, warmup=st.one_of(st.integers(0, 30), st.floats(0, 1))),
        st.builds(Cosine, warmup=st.one_of(st.integers(0, 30), st.floats(0, 1)), final_share=st.floats(0, 1)),
        st.builds(Constant, warmup=st.one_of(st.integers(0, 30), st.floats(0, 1))),
    ),
    total=st.integers(1, 40),
)
def test_factors_lie_in_the_unit_interval_rise_and_then_fall(schedule: Schedule, total: int) -> None:
    factors = [schedule.factor(step, total) for step in range(total + 1)]
    warmup = schedule.warmup_steps(total)
    assert all(0 <= factor <= 1 + 1e-12 for factor in factors)
    assert factors[:warmup] == sorted(factors[:warmup])
    assert all(after <= before + 1e-12 for before, after in zip(factors[warmup:], factors[warmup + 1 :], strict=False))


def test_the_state_loads_without_code_and_goes_on() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = Cosine(warmup=0.1)(optimizer, 10)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    file = io.BytesIO()
    torch.save(scheduler.state_dict(), file)
    file.seek(0)
    again = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    resumed = Cosine(warmup=0.1)(again, 10)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    again.step()
    resumed.step()
    assert resumed.get_last_lr() == [Cosine(warmup=0.1).factor(4, 10)]


@pytest.mark.parametrize("warmup", [-1, -0.1, 1.5, True])
def test_an_impossible_warmup_is_a_sentence(warmup: float) -> None:
    with pytest.raises(UserError, match=f"schedule.warmup={warmup}"):
        Linear(warmup=warmup)


def test_an_impossible_final_share_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"schedule.final_share=2"):
        Cosine(final_share=2)


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Constant(warmup=0.5)])
def test_a_training_without_end_is_a_sentence_where_the_end_counts(schedule: Schedule) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    with pytest.raises(UserError, match=r"trainer.max_steps"):
        schedule(optimizer, math.inf)
