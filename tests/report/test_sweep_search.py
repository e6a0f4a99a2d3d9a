"""The history of a search in its report: each trial as it ended, the best so far, and the scores on the way."""

from pathlib import Path

import plotly.graph_objects as go
import pytest

from quatrain.compare.trials import read_study, study_in
from quatrain.core.errors import UserError
from quatrain.report.search_history import best_so_far, search_history
from quatrain.report.sweep_report import write_sweep_report

from .sweep_folders import figures_of, study, swept_run

TRIALS = [
    {"state": "COMPLETE", "value": 3.0, "scores": [4.0, 3.0], "folder": "one"},
    {"state": "PRUNED", "scores": [9.0, 8.5], "folder": "two"},
    {"state": "COMPLETE", "value": 2.0, "scores": [2.5, 2.0], "folder": "three"},
    {"state": "COMPLETE", "value": 2.5, "scores": [3.5, 2.5], "folder": "four"},
    {"state": "FAIL", "why": "It broke.", "scores": [float("nan")]},
    {"state": "PRUNED", "refused": "The heads do not divide the width."},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return study(tmp_path, TRIALS)


def test_a_study_is_read_as_it_was_told_and_stays_untouched(path: Path) -> None:
    before = path.read_bytes()
    found = read_study(path)
    assert [one.state for one in found.trials] == ["complete", "pruned", "complete", "complete", "failed", "refused"]
    assert found.trials[1].steps == {1: 9.0, 2: 8.5}
    assert (found.monitor, found.smaller_is_better) == ("val/loss", True)
    assert best_so_far(found) == [(0, 3.0), (2, 2.0)]
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_the_history_shows_complete_pruned_and_the_best_so_far(path: Path) -> None:
    page = str(search_history(read_study(path)))
    values, scores = (go.Figure(content) for content in figures_of(page))
    complete, pruned, best = values.data
    assert (list(complete.x), list(complete.y)) == ([0, 2, 3], [3.0, 2.0, 2.5])
    assert (list(pruned.x), list(pruned.y), pruned.marker.symbol) == ([1], [8.5], "x")
    assert (list(best.x), list(best.y), best.line.shape) == ([0, 2, 5], [3.0, 2.0, 2.0], "hv")
    assert scores.data[-1].name == "best"
    assert list(scores.data[-1].y) == [2.5, 2.0]
    assert sum(trace.name == "pruned" for trace in scores.data) == 1
    assert "6 trials: 3 complete, 1 pruned, 1 failed, 1 refused." in page
    assert "1 of the trials did not run: The heads do not divide the width." in page
    assert "It broke." in page


def test_the_page_of_a_search_has_its_history(tmp_path: Path, path: Path) -> None:
    for number in range(4):
        swept_run(tmp_path, f"lr-{number}-0123abc{number}", lr=10.0**-number, extra=[f"sweep.trial={number}"])
    page = write_sweep_report(tmp_path).read_text(encoding="utf-8")
    assert "<h2>Search</h2>" in page
    assert ">trial</th>" in page


def test_a_torn_line_at_the_end_is_passed_over_and_a_damaged_study_is_a_sentence(tmp_path: Path, path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 4, "work')
    assert len(read_study(path).trials) == len(TRIALS)
    path.write_bytes(b"{\n" + whole)
    with pytest.raises(UserError, match="cannot be read as a search's study"):
        read_study(path)
    swept_run(tmp_path, "lr-1-0123abcd")
    assert "cannot be read as a search" in write_sweep_report(tmp_path).read_text(encoding="utf-8")


def test_a_study_in_sqlite(tmp_path: Path) -> None:
    import optuna

    made = optuna.create_study(study_name="search", storage=f"sqlite:///{tmp_path}/optuna.db", direction="maximize")
    trial = made.ask()
    trial.report(0.5, 1)
    made.tell(trial, 0.75)
    path = study_in(tmp_path)
    assert path == tmp_path / "optuna.db"
    found = read_study(path)
    assert [(one.state, one.value, one.steps) for one in found.trials] == [("complete", 0.75, {1: 0.5})]
    assert not found.smaller_is_better


def test_a_study_of_which_nothing_is_over(tmp_path: Path) -> None:
    page = str(search_history(read_study(study(tmp_path, [{"state": "RUNNING"}, {"state": "WAITING"}]))))
    assert "there is no history to draw" in page
    assert figures_of(page) == []


def test_a_search_of_thousands_is_bounded(tmp_path: Path) -> None:
    scores = [3.0 / step for step in range(1, 301)]
    trials = [{"state": "COMPLETE", "value": 1 / (1 + number), "scores": scores} for number in range(130)]
    values, curves = figures_of(str(search_history(read_study(study(tmp_path, trials)))))
    assert len(values["data"][0]["x"]) == 130
    assert len(curves["data"]) <= 101
    assert max(len(trace["x"]) for trace in curves["data"]) <= 102
