"""Processed pairs read back as they were written, and nothing half-written stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora import processed_pairs
from quatrain.corpora.pairs import PairCorpus, load_pairs, pairs_from_memory
from quatrain.corpora.processed_pairs import write_pairs


def made(labels: list[Any], texts: int = 2, **choices: Any) -> PairCorpus:
    rows = [{"a": f"one \u2028 é {n}", "b": f'two "{n}"\r\n', "gold": label} for n, label in enumerate(labels)]
    hidden = [{**row, "gold": None} for row in rows]
    return pairs_from_memory(
        {"train": rows, "validation": rows[:2], "test": hidden},
        text_columns=["a", "b"][:texts],
        label_column="gold",
        **choices,
    )


@pytest.mark.parametrize(
    "corpus",
    [
        made(["yes", "no", "yes"]),
        made(["yes", "no", "yes"], texts=1, label_names=["yes", "no"]),
        made([0.5, 2.0, 1.25]),
        made([1, 2, 3], glue_task="stsb"),
        made([1, 0, 1], glue_task="mrpc"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"glue_task": None, "text_columns": ["a", "b"], "label_column": "gold"}])
def test_reads_back_the_same(tmp_path: Path, corpus: PairCorpus, settings: dict[str, Any]) -> None:
    write_pairs(corpus, tmp_path / "new" / "pairs")
    if corpus.label_names is None and not settings:
        settings = {"glue_task": "stsb"}
    again = load_pairs(str(tmp_path / "new" / "pairs"), **settings)
    assert again.columns == corpus.columns
    assert again.label_names == corpus.label_names
    assert again.fingerprint == corpus.fingerprint
    assert again.report.to_dict() == {}


def test_files_hold_what_they_say(tmp_path: Path) -> None:
    write_pairs(made([1, 0, 1], glue_task="mrpc"), tmp_path / "pairs")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["pairs"]
    assert sorted(entry.name for entry in (tmp_path / "pairs").iterdir()) == [
        "report.json",
        "report.md",
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    first = json.loads((tmp_path / "pairs" / "train.jsonl").read_bytes().split(b"\n")[0])
    assert first == {"sentence1": "one \n é 0", "sentence2": 'two "0"\n', "label": 1, "idx": 0}
    report = json.loads((tmp_path / "pairs" / "report.json").read_text())
    assert report["splits"]["train"] == {
        "rows": 3,
        "unlabelled": 0,
        "labels": {"not_equivalent": 1, "equivalent": 2},
        "characters": {"sentence1": {"mean": 9.0, "largest": 9}, "sentence2": {"mean": 8.0, "largest": 8}},
    }
    assert report["splits"]["test"]["unlabelled"] == 3
    assert report["cleaning"]["newlines"]["count"] == 16  # two in each of eight rows
    text = (tmp_path / "pairs" / "report.md").read_text()
    assert "| train | 3 | 0 | not_equivalent 1, equivalent 2 |" in text
    assert "- 16 line ends replaced" in text
    assert "rows train, line 1:" in text


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": 1}]
    write_pairs(pairs_from_memory({"train": rows, "validation": rows}), tmp_path / "pairs")
    assert (tmp_path / "pairs" / "report.md").read_text().endswith("## Changed and dropped\n\nNothing.\n")


def test_what_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    with pytest.raises(UserError, match="exists and is left as it is; name a new folder"):
        write_pairs(made([1, 0]), tmp_path / "pairs")
    assert list((tmp_path / "pairs").iterdir()) == []


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(summary: dict[str, Any]) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(processed_pairs, "_markdown", full)
    with pytest.raises(NotNow, match=r"pairs cannot be written \(No space left on device\); make room"):
        write_pairs(made([1, 0]), tmp_path / "pairs")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON"])
def test_a_users_own_report_says_nothing_about_the_labels(tmp_path: Path, content: str) -> None:
    rows = "".join(json.dumps({"text": f"t{n}", "label": "ab"[n % 2]}) + "\n" for n in range(4))
    for name in ("train.jsonl", "dev.jsonl"):
        (tmp_path / name).write_text(rows)
    (tmp_path / "report.json").write_text(content)
    assert load_pairs(str(tmp_path), glue_task=None).label_names == ("a", "b")
