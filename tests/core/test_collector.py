"""Imports pass without a garbage collection, and only the first ones of a process leave their objects out of later."""

import gc
from collections.abc import Iterator

import pytest

from quatrain.core.collector import resting_collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_meanwhile_and_what_was_made_is_left_out() -> None:
    gc.unfreeze()
    with resting_collector():
        assert not gc.isenabled()
        assert not gc.get_freeze_count()
    assert gc.isenabled()
    assert gc.get_freeze_count()


def test_a_second_block_leaves_nothing_out() -> None:
    gc.unfreeze()
    with resting_collector():
        pass
    kept = gc.get_freeze_count()
    with resting_collector():
        made = [[] for _ in range(1000)]
    assert made
    assert gc.get_freeze_count() <= kept


def test_after_an_error_it_works_again() -> None:
    with pytest.raises(KeyError), resting_collector():
        raise KeyError
    assert gc.isenabled()


def test_who_turned_it_off_finds_it_off() -> None:
    gc.disable()
    with resting_collector():
        assert not gc.isenabled()
    assert not gc.isenabled()
