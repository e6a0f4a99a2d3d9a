"""Proves that the closing table fits a terminal, and that what the model said is never cut before the text is."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quatrain.runs.closing import ASKED, print_closing
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


@pytest.mark.parametrize(("task", "use"), [("causal_lm", "generate"), ("masked_lm", "fill"), ("encoder", None)])
def test_what_to_try_next_is_of_this_run(
    task: str, use: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of the default experiment, which `quatrain train -m seed=1,2,3` alone would be."""
    monkeypatch.setitem(ASKED, "encoder", "row")
    lines = _printed(monkeypatch, tmp_path, 80, task, TEXT)
    after = lines[lines.index("try next") + 1 :]
    assert all(str(tmp_path) in line for line in after)
    assert any(f"quatrain resume {tmp_path} --max-epochs N" in line for line in after)
    assert len(after) == (2 if use else 1)
    if use:
        assert f"quatrain {use} {tmp_path} " in after[0]
