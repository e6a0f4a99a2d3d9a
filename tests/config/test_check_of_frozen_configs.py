"""`check` judges what a run directory holds, damaged or hostile too, by sentences and never by another error."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from quatrain.config.check import check
from quatrain.config.compose import compose
from quatrain.core.errors import UserError


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return compose(["experiment=quick_windows"])


def told(config: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        check(config)
    return caught.value.sentences


def test_a_frozen_config_passes_and_is_not_changed(whole: dict[str, Any]) -> None:
    before = repr(whole)
    check(whole)
    assert repr(whole) == before


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "The config is null, not a mapping"),
        ([], "The config is a list, not a mapping"),
        ("name: x", "The config is a text, not a mapping"),
        ({}, "data is missing; choose an option, data=OPTION."),
    ],
)
def test_what_is_no_config(config: Any, sentence: str) -> None:
    assert told(config)[0].startswith(sentence)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("data", [1], "data=[1] does not fit"),
        ("data.max_length", {"a": 1}, "data.max_length={'a': 1} does not fit"),
        ("data.batch_size", 10**30, "data.batch_size=a number of 100 bits is beyond"),
        ("data.source", "a\0b", "data.source='a\\x00b' holds a character that no text can have"),
        ("data.source", "x" * 5000, "data.source"),
        ("data.source", "x" * 200_000, "has more than 100,000 characters"),
        ("seed", date(2026, 1, 1), "is a date; write a text in quotes"),
        ("seed", float("nan"), "seed=nan is no finite number"),
        ("seed", True, "seed=true does not fit"),
        ("model.config.model_type", 5, "model.config.model_type"),
        ("model.config.model_type", "gpt3", "transformers knows no such model type"),
        ("model._target_", ["os.system"], "model names no class"),
        ("trainer._target_", "os.system", "trainer._target_=os.system may not be named"),
        ("trainer._target_", "pytorch_lightning.trainer./etc/passwd.X", "there is no such class"),
        ("callbacks", [], "callbacks is missing"),
        ("callbacks.spy", {"_target_": "quatrain.worker.os.system"}, "callbacks.spy._target_"),
        ("logger.none", None, "logger.none names no class"),
        ("hydra", {}, "hydra is unknown to an experiment"),
        ("speed", None, "speed=null does not fit"),
        ("sweep.name", 5, "sweep.name=5 does not fit"),
        ("model.lora", {"r": "8"}, "model.lora.r='8' must be a whole number"),
    ],
)
def test_a_damaged_value(key: str, value: Any, sentence: str, whole: dict[str, Any]) -> None:
    config = _with(whole, key, value)
    assert any(sentence in one for one in told(config)), told(config)


def test_every_group_and_setting_may_be_missing_without_another_error(whole: dict[str, Any]) -> None:
    for name in whole:
        assert any(name in one for one in told({key: value for key, value in whole.items() if key != name}))


@pytest.mark.parametrize("make", [lambda inner: {"a": inner}, lambda inner: [inner]])
def test_depth_size_and_circles_end(make: Callable[[Any], Any], whole: dict[str, Any]) -> None:
    deep: Any = 1
    for _ in range(1000):
        deep = make(deep)
    assert "30 levels" in told({**whole, "data": deep})[0]
    bomb: Any = [1] * 10
    for _ in range(12):
        bomb = make([bomb] * 10)
    assert "The config holds" in told({**whole, "data": bomb})[0]
    circle: dict[str, Any] = {}
    circle["again"] = make(circle)
    assert "30 levels" in told({**whole, "data": circle})[0]


def _with(config: Any, key: str, value: Any) -> Any:
    head, _, rest = key.partition(".")
    return {**config, head: _with(config[head], rest, value) if rest else value}
