"""The history of a search in its report: values by trial, the best so far, what was pruned, failed and refused."""

import math
from pathlib import Path

import pytest

from quatrain.compare.trials import Study, Trial, read_study, study_in
from quatrain.core.errors import UserError
from quatrain.report.search_history import best_so_far, last_score

from .sweep_folders import search_of
from .test_sweep_report import figures, lines, part, text_of


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return search_of(tmp_path_factory.mktemp("searches") / "search")


def trial(number: int, value: float | None, **words: object) -> Trial:
    given = {"params": {}, "steps": {}, "folder": None, "why": None, "same_as": None} | words
    return Trial(number=number, state="complete" if value is not None else "pruned", value=value, **given)  # type: ignore[arg-type]


def test_the_trials_are_read_as_the_search_left_them(searched: Path) -> None:
    path = study_in(searched)
    assert path is not None
    before = path.read_bytes()
    study = read_study(path)
    assert [one.state for one in study.trials] == ["complete", "complete", "pruned", "complete", "refused", "failed"]
    assert study.monitor == "val/loss"
    assert study.smaller_is_better
    assert study.trials[2].value is None
    assert list(study.trials[2].steps) == [1, 2]
    assert study.trials[5].why == "It broke."
    assert path.read_bytes() == before


def test_values_best_so_far_and_pruned_are_drawn(searched: Path) -> None:
    said = part(text_of(searched), "Search")
    values, on_the_way = figures(said)
    study = read_study(searched / "optuna.journal")
    named = {trace.name: trace for trace in values.data}
    assert list(named["complete"].x) == [0, 1, 3]
    assert list(named["pruned, its last score"].x) == [2]
    assert named["pruned, its last score"].y[0] == pytest.approx(study.trials[2].steps[2], rel=1e-5)
    best = named["best so far"].y
    assert best[-1] == pytest.approx(min(one.value for one in study.trials if one.value is not None), rel=1e-5)
    assert list(best) == sorted(best, reverse=True)
    assert "6 trials: 3 complete, 1 pruned, 1 refused, 1 failed." in said
    assert "1 of the trials did not run: These do not fit together." in said
    pruned = [trace for trace in on_the_way.data if trace.name == "pruned"]
    assert [len(trace.x) for trace in pruned] == [2]
    assert pruned[0].line.dash == "dot"


def test_the_table_has_trial_and_state_and_rates_one_can_read(searched: Path) -> None:
    table = lines(text_of(searched))
    assert [line[1] for line in table] == ["done", "done", "done", "pruned", "failed"]
    assert {line[2] for line in table} == {"0", "1", "2", "3", "5"}
    assert all(len(line[3]) <= 12 for line in table)


def test_the_best_so_far_follows_the_direction() -> None:
    trials = (trial(0, 2.0), trial(1, 3.0), trial(2, None), trial(3, 1.0), trial(4, 4.0))
    assert best_so_far(Study(trials, True, None)) == [(0, 2.0), (3, 1.0)]
    assert best_so_far(Study(trials, False, None)) == [(0, 2.0), (1, 3.0), (4, 4.0)]


def test_a_last_score_that_is_not_finite_is_passed_by() -> None:
    assert last_score(trial(0, None, steps={1: 2.0, 2: math.nan})) == 2.0
    assert last_score(trial(0, None, steps={1: math.inf})) is None


def test_a_damaged_study_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    folder = search_of(tmp_path / "search", trials=4)
    (folder / "optuna.journal").write_text("no journal\n\n{}\n", encoding="utf-8")
    text = text_of(folder)
    assert "cannot be read as a search" in part(text, "Search")
    assert lines(text)
    with pytest.raises(UserError, match="cannot be read"):
        read_study(folder / "optuna.journal")
