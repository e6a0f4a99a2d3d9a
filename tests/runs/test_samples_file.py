"""samples.jsonl: whole rows, once for each step and number, cut where a resumed run goes on, harmless to read."""

import json
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.samples_file import SamplesFile, read_samples


def rows(step: int, said: str = "a") -> list[dict[str, object]]:
    return [
        {"step": step, "epoch": 0, "number": n, "shown": "x", "said": said, "probability": 0.5, "right": "b"}
        for n in range(2)
    ]


def test_rows_of_a_step_that_is_validated_again_stand_once(tmp_path: Path) -> None:
    file = SamplesFile(tmp_path / "samples.jsonl")
    file.append(rows(2, "first"))
    SamplesFile(file.path).append([*rows(2, "again"), *rows(4)])
    assert [(row["step"], row["number"], row["said"]) for row in read_samples(file.path)] == [
        (2, 0, "first"),
        (2, 1, "first"),
        (4, 0, "a"),
        (4, 1, "a"),
    ]


def test_a_resumed_run_takes_the_rows_after_its_step_again(tmp_path: Path) -> None:
    file = SamplesFile(tmp_path / "samples.jsonl")
    for step in (2, 4, 6):
        file.append(rows(step, "before"))
    file.drop_after(4)
    file.append(rows(6, "after"))
    file.flush()
    assert [row["said"] for row in read_samples(file.path)] == ["before"] * 4 + ["after"] * 2


@pytest.mark.parametrize("mend", [lambda file: file.append(rows(4)), lambda file: file.drop_after(4)])
def test_a_line_that_a_killed_process_left_unfinished_goes(tmp_path: Path, mend) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "samples.jsonl"
    SamplesFile(path).append(rows(2))
    whole = path.read_text()
    path.write_text(whole + '{"step": 4, "epo')
    assert read_samples(path) == rows(2)
    mend(SamplesFile(path))
    assert path.read_text().startswith(whole)
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()][:2] == [0, 1]


def test_any_text_and_any_number_makes_a_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    odd = {**rows(1)[0], "said": "one\ntwo\u2028three \ud800", "probability": float("nan")}
    SamplesFile(path).append([odd])
    (row,) = read_samples(path)
    assert row["said"] == "one\ntwo\u2028three ?"
    assert row["probability"] is None


@pytest.mark.parametrize("line", ["no json", "[1]", '{"step": "2"}', json.dumps({**rows(1)[0], "said": 3})])
def test_a_file_of_someone_elses_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "samples.jsonl"
    SamplesFile(path).append(rows(2))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UserError, match=r"samples\.jsonl, line 3: no sample of a model"):
        read_samples(path)
