"""Proves that the closing table fits a terminal, and that what the model said is never cut before the text is."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quatrain.runs.closing import print_closing
from quatrain.runs.directory import RunDirectory

RESULT: dict[str, Any] = {
    "best": {"step": 1250, "val/accuracy": 0.9, "val/bits_per_character": 1.234},
    "metrics": {"test/f1": 0.5},
    "seconds": 12.5,
    "tokens_per_second": 56458.6,
    "flops_per_second": 1.5e11,
    "mfu": 0.17,
    "data_wait": 0.01,
}
ROW = SimpleNamespace(
    shown="in the field, growers harvest wheat. | see how the tiller brings in maize and rye before the first snow",
    said="equivalent",
    probability=0.53,
    right="not_equivalent",
)
TEXT = SimpleNamespace(shown="a " * 60, said="b " * 60, probability=None, right="c " * 60)


def _printed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, width: int, task: str, sample: SimpleNamespace
) -> list[str]:
    screen = io.StringIO()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout", screen)
    summary = {"majority_share/validation": 0.5208, "grammar_bits_per_character": 0.4468}
    print_closing(RunDirectory(folder), "mine", task, summary, RESULT, [sample, sample], reported=True)
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_answers_stay_whole_where_the_text_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = _printed(monkeypatch, tmp_path, width, "sequence_classification", ROW)
    rows = [line for line in lines if line.startswith("in the field")]
    assert len(rows) == 2
    for row in rows:
        assert row.split()[-3:] == ["equivalent", "53%", "not_equivalent"]


@pytest.mark.parametrize(("task", "sample"), [("causal_lm", TEXT), ("sequence_classification", ROW)])
def test_eighty_columns_suffice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, sample: SimpleNamespace
) -> None:
    lines = _printed(monkeypatch, tmp_path, 80, task, sample)
    own = [line.rstrip() for line in lines if str(tmp_path) not in line]  # a path is whole, however long
    assert max(map(len, own)) <= 80
    assert not any("…" in line for line in own)
    assert "  report.html shows all of it in a browser" in own
    assert "training                12.5 s, 56,459 tokens/s, 1.0% waiting for data" in own
    assert any(line.endswith("(the grammar's own bound 0.4468)") for line in own)


@pytest.mark.parametrize(
    ("task", "use"),
    [("causal_lm", "generate"), ("masked_lm", "fill"), ("sequence_classification", "predict"), ("encoder", None)],
)
@pytest.mark.parametrize("on_verse", [True, False])
def test_what_to_try_next_is_of_this_run_and_then_the_tour(
    task: str, use: str | None, on_verse: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On data of one's own no embedded experiment is offered."""
    run = RunDirectory(tmp_path / "my run")
    screen = io.StringIO()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout", screen)
    print_closing(run, "quick_sonnets", task, {}, RESULT, [], reported=False, on_verse=on_verse)
    after = [line.strip() for line in screen.getvalue().split("try next\n")[1].splitlines()]
    of_run = [line for line in after if f"'{run.path}'" in line]
    commands = [line.split()[1] for line in of_run]
    assert commands == ["evaluate", *([use] if use else []), "resume"]
    assert after[: len(of_run)] == of_run
    assert [line.split("  ")[0] for line in after[len(of_run) :]] == (
        ["quatrain train experiment=quick_windows", "quatrain train -m seed=1,2,3"] if on_verse else []
    )


def test_a_best_step_before_the_last_says_of_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps after it that scored no better are seen; where the last step is the best there are none to tell of."""
    for last, told in ((2000, "1,250 of 2,000"), (1250, "1,250")):
        (tmp_path / "metrics.csv").write_text(f"step,train/loss\n1,5.0\n{last},2.0\n")
        (line,) = [
            line for line in _printed(monkeypatch, tmp_path, 80, "causal_lm", TEXT) if line.startswith("best step")
        ]
        assert line.split(None, 2)[2].strip() == told


def test_what_next_does_stands_in_one_column(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    print_closing(RunDirectory(tmp_path / "book"), "mine", "causal_lm", {}, RESULT, [], reported=True, on_verse=False)
    after = screen.getvalue().split("try next\n")[1].splitlines()
    assert len({line.rindex("  ") for line in after}) == 1
    assert [line[line.rindex("  ") :].strip() for line in after] == ["its scores with intervals", "ask it", "train on"]
