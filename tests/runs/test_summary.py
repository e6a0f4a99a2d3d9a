"""What result.json says for a comparison: curves of bounded length that keep their ends and extremes."""

import math
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.runs.directory import RunDirectory
from quatrain.runs.metrics_file import MetricsFile
from quatrain.runs.naming import identity_hash
from quatrain.runs.summary import MOST_POINTS, summary, thinned

CONFIG = {
    "name": "tried",
    "seed": 3,
    "optimizer": {"lr": 0.1},
    "callbacks": {"checkpoints": {"monitor": None, "mode": "min"}},
    "run": {"dir": "/somewhere"},
    "logger": {"wandb": {}},
    "sweep": {"name": "a"},
}


def run_with(path: Path, steps: int, *, validated: bool = True) -> RunDirectory:
    metrics = MetricsFile(path / "metrics.csv")
    for step in range(1, steps + 1):
        metrics.append({"step": step, "epoch": 0, "train/loss": 1 / step, "train/tokens_per_second": 5.0})
        if validated and step % 10 == 0:
            metrics.append({"step": step, "epoch": 0, "val/f1": step / steps, "val/loss": math.inf})
    return RunDirectory(path)


def test_a_summary_is_enough_to_compare_by(tmp_path: Path) -> None:
    found = summary(run_with(tmp_path, 20), CONFIG, ("val/f1", "max"))
    assert (found["name"], found["seed"], found["identity"]) == ("tried", 3, identity_hash(CONFIG))
    assert set(found["config"]) == {"name", "seed", "optimizer", "callbacks"}
    assert (found["monitor"], found["mode"]) == ("val/f1", "max")
    assert found["history"]["val/f1"] == {"step": [10, 20], "value": [0.5, 1.0]}
    assert set(found["history"]) == {"train/loss", "val/f1", "val/loss"}


def test_the_monitor_of_the_config_comes_first_and_must_be_logged(tmp_path: Path) -> None:
    own = {**CONFIG, "callbacks": {"checkpoints": {"monitor": "val/loss", "mode": "min"}}}
    run = run_with(tmp_path, 20)
    assert (summary(run, own, ("val/f1", "max"))["monitor"], summary(run, own, ("a", "max"))["mode"]) == (
        "val/loss",
        "min",
    )
    without = {**CONFIG, "callbacks": {"checkpoints": None}}
    assert summary(run, without, ("val/f1", "max"))["monitor"] == "val/f1"
    (tmp_path / "other").mkdir()
    unseen = summary(run_with(tmp_path / "other", 5, validated=False), CONFIG, ("val/f1", "max"))
    assert (unseen["monitor"], unseen["mode"]) == (None, None)


def test_a_long_run_has_a_short_curve(tmp_path: Path) -> None:
    curve = summary(run_with(tmp_path, 1000), CONFIG, ("val/f1", "max"))["history"]["train/loss"]
    assert len(curve["step"]) == len(curve["value"]) == MOST_POINTS
    assert (curve["step"][0], curve["step"][-1]) == (1, 1000)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.integers(-5, 5)), min_size=1, max_size=60), st.integers(2, 20))
def test_thinning_keeps_ends_and_extremes(values: list[float], most: int) -> None:
    places = thinned(values, most)
    assert places == sorted(set(places))
    assert len(places) <= most + 2
    assert {0, len(values) - 1} <= set(places)
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        assert {min(finite), max(finite)} <= {values[place] for place in places}
