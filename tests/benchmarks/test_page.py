"""The page is made again from what was kept: what is there stays, what is missing says why, a miss asks for a note."""

import json
from pathlib import Path

import pytest

from bench import page
from bench.row import Row
from bench.store import Entry, Store
from bench.table import ROWS

MLM = next(row for row in ROWS if row.key == "mlm")
CLM = next(row for row in ROWS if row.key == "clm")


def entry(ours: float, best: float) -> Entry:
    speeds = {"ours": ours, "defaults": 100.0, "best": best}
    same = {"round": 1, "precision": "32-true", "peak_mb": 10.0, "loss": 7.0}
    return {
        "date": "2026-01-02",
        "machine": "a CPU, 2 cores",
        "versions": {"torch": "2.13"},
        "load": 0.1,
        "threads": None,
        "runs": [same | {"contender": name, "tokens_per_second": speed} for name, speed in speeds.items()],
        "commands": {"ours": "quatrain train seed=1"},
    }


def test_goals_measures_commands_and_the_machine_stand_on_the_page() -> None:
    text = page.page(ROWS, {"mlm": entry(420.0, 200.0)}, {"mlm": "A profile says why.\n"})
    assert f"| [{MLM.title}](#mlm) | tokens/s | 420 | defaults 100 | 4.20 times | 4 times | yes |" in text
    assert "|  | tokens/s | 420 | best 200 | 2.10 times | 2.2 times | **no** |" in text
    assert "| defaults | 32-true | 100 | 10 | 7.0000 |" in text
    assert "Machine 1, 2026-01-02, 1 round, load average 0.1 before." in text
    assert "    ours: quatrain train seed=1" in text
    assert "1. a CPU, 2 cores; torch 2.13" in text
    assert text.index("## mlm\n") < text.index("A profile says why.") < text.index("## mlm_50k")


def test_what_was_not_measured_says_why() -> None:
    text = page.page(ROWS, {"gpt2_124m": {"lacks": "no CUDA GPU is here"}}, {})
    assert "not measured: no CUDA GPU is here" in text
    assert "Not measured: not yet run." in text
    without = [page.verdicts(CLM, entry(420.0, 200.0))[number] for number in range(len(CLM.goals))]
    assert ("", "tokens/s", "", "nanoGPT not measured", "", "1.8 times", "") in without


def test_a_missed_goal_without_a_note_is_named() -> None:
    entries = {"mlm": entry(420.0, 200.0)}
    assert page.unexplained(ROWS, entries, {}) == ["mlm"]
    assert page.unexplained(ROWS, entries, {"mlm": "why"}) == []
    assert page.unexplained(ROWS, {"mlm": entry(900.0, 200.0)}, {}) == []


def test_notes_are_read_by_row_and_others_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.yaml"
    assert page.read_notes(file, ROWS) == {}
    file.write_text("mlm: |\n  what was tried\n", encoding="utf-8")
    assert page.read_notes(file, ROWS) == {"mlm": "what was tried\n"}
    file.write_text("mlm_60k: x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has notes on mlm_60k; rows are mlm,"):
        page.read_notes(file, ROWS)


def test_a_row_is_kept_alone_and_a_lack_does_not_replace_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    Store(path).keep("mlm", entry(420.0, 200.0))
    again = Store(path)
    again.keep_lack("mlm", "no DATA")
    again.keep_lack("clm", "no DATA/gpt2_bpe")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["mlm"]["runs"] == entry(420.0, 200.0)["runs"]
    assert kept["clm"] == {"lacks": "no DATA/gpt2_bpe"}
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_of_this_repository_is_what_its_numbers_give() -> None:
    root = Path(page.__file__).resolve().parents[2]
    store = Store(root / "benchmarks" / "measured.json")
    notes = page.read_notes(root / "benchmarks" / "notes.yaml", ROWS)
    assert (root / "docs" / "benchmarks.md").read_text(encoding="utf-8") == page.page(ROWS, store.entries, notes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_every_row_can_be_shortened_and_repeated(row: Row) -> None:
    assert row.quick().rounds == 1
    more = row.with_rounds(row.rounds * 2)
    assert (more.rounds, more.minutes) == (row.rounds * 2, row.minutes * 2)
    assert row.with_rounds(None) == row
