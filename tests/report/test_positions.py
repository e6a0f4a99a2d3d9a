"""The loss by position: a line through the noise, which leaves the first point and a straight fall as they are."""

from pathlib import Path

import pytest

from quatrain.core.json_text import as_json
from quatrain.report.positions import NEIGHBOURS, among_neighbours
from quatrain.report.run_report import write_run_report

from .report_runs import hostile_run


def test_a_straight_line_stays_and_noise_goes_down() -> None:
    line = [5.0 - 0.01 * place for place in range(64)]
    weights = [100.0] * 64
    assert among_neighbours(line, weights)[:-NEIGHBOURS] == pytest.approx(line[:-NEIGHBOURS])
    noisy = [value + (0.3 if place % 2 else -0.3) for place, value in enumerate(line)]
    found = among_neighbours(noisy, weights)
    assert found[0] == noisy[0]
    assert max(abs(found[place] - line[place]) for place in range(NEIGHBOURS, 64)) < 0.08


def test_points_count_by_their_tokens() -> None:
    assert among_neighbours([1.0, 4.0, 1.0], [1.0, 2.0, 1.0])[1] == pytest.approx(2.5)


@pytest.mark.parametrize(("places", "drawn"), [(3, False), (128, True)])
def test_the_line_is_drawn_where_there_are_many_points(places: int, drawn: bool, tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", "causal_lm", rows=20)
    told = {"position": list(range(1, places + 1)), "loss": [4.0] * places, "tokens": [428] * places}
    run.examples.write_text(as_json({"loss_by_position": told, "tokenizer": None}), encoding="utf-8")
    page = write_run_report(run).read_text(encoding="utf-8")
    assert "how many tokens of the window the model has read" in page
    assert ("mean with its neighbours" in page) == drawn
    assert ("about 428 tokens" in page) == drawn
