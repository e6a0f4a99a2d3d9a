"""One row from the user's data to its verdict with a tiny model: ours and the Trainer, each in its own process."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.contenders import Contender
from bench.goals import judge
from bench.language import LanguageRow
from bench.measuring import measure
from bench.place import TEXT, Place
from bench.table import ROWS
from quatrain.corpora.verse import poems

pytestmark = pytest.mark.slow


class TwoOfThem(LanguageRow):
    """Without the Trainer's defaults, to be quick."""

    def contenders(self, place: Place) -> list[Contender]:
        return [one for one in super().contenders(place) if one.name != "defaults"]


def test_ours_and_a_peer_are_measured_and_scored_in_turn(tmp_path: Path) -> None:
    (tmp_path / "data" / TEXT).parent.mkdir(parents=True)
    (tmp_path / "data" / TEXT).write_text("\n\n".join(poems(120, 0)), encoding="utf-8")
    (tmp_path / "work").mkdir()
    place = Place(tmp_path / "data", tmp_path / "work", threads=1)
    mlm = next(row for row in ROWS if row.key == "mlm")
    assert isinstance(mlm, LanguageRow)
    small = {**mlm.job.config, "hidden_size": 32, "num_hidden_layers": 1}
    job = replace(mlm.job, config=small, batch=4, length=32, steps=4, untimed=2)
    row = TwoOfThem(**{**vars(mlm), "job": job, "rounds": 1})
    told: list[str] = []
    assert row.lacks(place) is None

    runs, commands = measure(row, place, told.append)

    assert [run["contender"] for run in runs] == ["ours", "best"]
    for run in runs:
        assert run["tokens_per_second"] > 0
        assert 100 < run["peak_mb"] < 5000
        assert 4 < run["loss"] < 10
    assert commands["ours"].startswith("quatrain train experiment=sonnets_roberta model.config.")
    assert "WORK/text/train.txt" in commands["best"]
    assert str(tmp_path) not in "".join(commands.values())
    assert told[0].startswith("mlm [1/2] ours, round 1: ")
    verdict = judge(row.goals[1], runs)
    assert verdict is not None
    assert verdict.compared.endswith(" times")
    assert list((tmp_path / "work" / "runs").glob("mlm*")) == []  # nothing of what was trained is kept
