"""Result files of others: what is read, what is told and left out, and what never breaks a comparison."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.compare import finding
from quatrain.compare.finding import find
from quatrain.compare.loading import load
from quatrain.core.errors import UserError

Write = Callable[..., Path]


def test_found_are_results_of_runs_and_no_attempts_that_were_set_aside(write: Write, tmp_path: Path) -> None:
    for name in ("b-2", "a-1", "a-1.attempt1", ".hidden"):
        write(name)
    (tmp_path / "sweep" / "a-1" / "export").mkdir()
    (tmp_path / "sweep" / "a-1" / "export" / "result.json").write_text("{}")
    (tmp_path / "sweep" / "queued").mkdir()
    (tmp_path / "sweep" / "queued" / "config.yaml").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sweep" / "link").symlink_to(tmp_path / "elsewhere")
    found = find([str(tmp_path), str(tmp_path / "sweep" / "a-1")])
    assert [one.path.parent.name for one in found.results] == ["a-1", "b-2"]
    assert [path.name for path in found.unfinished] == ["queued"]
    _, told = load([str(tmp_path)])
    assert told == ["1 run directory has no result (failed, interrupted or not over): queued."]


def test_a_single_run_is_a_folder_too(write: Write) -> None:
    results, told = load([str(write("a-1", seed=7))])
    assert ([one.seed for one in results], told) == ([7], [])


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load([str(tmp_path / "one"), str(tmp_path / "two")])
    assert len(caught.value.sentences) == 2
    with pytest.raises(UserError, match=r"lies no result.json that can be compared"):
        load([str(tmp_path)])


def test_too_many_results(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_RESULTS", 1)
    write("a-1")
    write("b-1")
    with pytest.raises(UserError, match="more than 1 results"):
        load([str(tmp_path)])


def test_a_run_that_a_search_ended_early_is_told_and_left_out(write: Write, tmp_path: Path) -> None:
    write("whole-1")
    path = write("short-1") / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pruned": "Pruned after validation 1."}))
    results, told = load([str(tmp_path)])
    assert [result.found.path.parent.name for result in results] == ["whole-1"]
    assert told == ["Left out, as their search ended them early: short-1."]


def test_an_early_result_is_told_and_left_out(write: Write, tmp_path: Path) -> None:
    write("new-1")
    early = {"metrics": {"val/loss": 1.0}, "best": {"step": 1}, "seconds": 1.0, "tokens_per_second": 1.0}
    (write("old-1") / "result.json").write_text(json.dumps(early))
    results, (told,) = load([str(tmp_path)])
    assert len(results) == 1
    assert told.startswith("Left out, as an earlier quatrain wrote their result.json")
    assert told.endswith("(name, seed, config, monitor, mode, history): old-1.")


DEEP: Any = 1
DEEP_LIST: Any = 1
for _ in range(900):
    DEEP, DEEP_LIST = {"a": DEEP}, [DEEP_LIST]

WRONG = {
    "name": [5, None, ["a"]],
    "seed": ["1", 1.0, True, None, 2**70],
    "config": [
        [],
        "a",
        None,
        DEEP,
        {"a": DEEP_LIST},
        {"a": [math.nan]},
        {"a": math.inf},
        {f"k{place}": 1 for place in range(6_000)},
    ],
    "monitor": [5, ["val/loss"]],
    "mode": ["up", None],
    "metrics": [[], {"val/loss": "1"}, {"val/loss": True}, {"val/loss": 2**70}],
    "seconds": ["1", [1]],
    "history": [
        *([], {"val/loss": []}, {"val/loss": {"step": [1], "value": []}}, {"val/loss": {"step": ["1"], "value": [1]}}),
        *({"val/loss": {"step": [1], "value": ["1"]}}, {"val/loss": {"step": 1, "value": 1}}),
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_part_is_one_sentence_with_the_file(name: str, value: Any, write: Write, tmp_path: Path) -> None:
    write("good-1")
    bad = write("bad-1") / "result.json"
    bad.write_text(json.dumps({**json.loads(bad.read_text()), name: value}))
    results, (told,) = load([str(tmp_path)])
    assert len(results) == 1
    assert str(bad) in told
    assert told.endswith("is not of the shape that quatrain writes; it is left out.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("[]", "holds no mapping"),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"metrics": ' + "9" * 10_000 + "}", "cannot be read"),
        (" " * 8_000_001, "more than the 8 MB"),
    ],
)
def test_a_file_that_is_no_result(text: str, said: str, write: Write, tmp_path: Path) -> None:
    write("good-1")
    (write("bad-1") / "result.json").write_text(text)
    results, (told,) = load([str(tmp_path)])
    assert len(results) == 1
    assert said in told


def test_what_is_no_plain_file(write: Write, tmp_path: Path) -> None:
    write("good-1")
    for name in ("pipe-1", "link-1"):
        (write(name) / "result.json").unlink()
    os.mkfifo(tmp_path / "sweep" / "pipe-1" / "result.json")
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "sweep" / "link-1" / "result.json").symlink_to(tmp_path / "secret")
    results, told = load([str(tmp_path)])
    assert len(results) == 1
    assert "leads out of" in told[0]
    assert "is no regular file" in told[1]


def test_many_wrong_files_are_counted_after_the_first(write: Write, tmp_path: Path) -> None:
    write("good-1")
    for place in range(15):
        (write(f"bad\x1b{place}-1") / "result.json").write_text("{")
    _, told = load([str(tmp_path)])
    assert len(told) == 11
    assert told[-1] == "5 more results cannot be used."
    assert "\x1b" not in "".join(told)


def test_numbers_that_are_not_finite_are_none(write: Write) -> None:
    folder = write("a-1", values={"val/loss": [3.0, 1.0, 2.0], "val/perplexity": [9.0, 8.0]})
    text = json.loads((folder / "result.json").read_text())
    text["history"]["val/loss"]["value"] = [None, 2.5, 1e300]
    text["metrics"]["test/loss"] = None
    (folder / "result.json").write_text(json.dumps(text))
    (one,), _ = load([str(folder)])
    assert one.value("val/loss", "min", last=False) == 2.5
    assert one.value("val/loss", "min", last=True) is None
    assert one.value("val/perplexity", "max", last=False) == 9.0
    assert one.value("val/perplexity", "max", last=True) == 8.0
    assert one.value("test/loss", "min", last=False) is None
    assert one.value("seconds", "min", last=False) == 10.0
