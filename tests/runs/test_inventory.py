"""Proves that runs are found, told apart and sized from their files alone, quickly, and that damage is a sentence."""

import json
import os
import time
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.disk import freed, room
from quatrain.runs.inventory import take_inventory
from quatrain.runs.listing import Row, counted, plain_lines, rows
from quatrain.runs.overview import overview
from quatrain.runs.units import in_age, in_bytes, in_time, read_age
from quatrain.runs.walk import CLAIMS

from .made_up_runs import made_up


def test_every_status_is_told_and_a_process_that_is_gone_is_interrupted(tmp_path: Path) -> None:
    for status in ("done", "failed", "running", "queued", "pruned"):
        made_up(tmp_path / status, status)
    found = {entry.path.name: entry for entry in take_inventory([str(tmp_path)]).entries}
    assert {name: entry.status.status for name, entry in found.items()} == {
        "done": "done",
        "failed": "failed",
        "running": "interrupted",
        "queued": "queued",
        "pruned": "pruned",
    }
    done = found["done"]
    assert (done.experiment, done.seed, done.changed, done.seconds) == ("tried", 7, "lr=0.1", 10.0)
    assert done.metric is not None
    assert (done.metric.name, done.metric.value, done.metric.mode) == ("val/loss", 3.0, "min")
    assert done.step is None
    failed = found["failed"]  # whose name and seed stand in its config alone
    assert (failed.experiment, failed.seed, failed.metric, failed.step) == ("tried", 7, None, 5)


def test_a_damaged_run_is_a_sentence_and_hides_no_other(tmp_path: Path) -> None:
    made_up(tmp_path / "good")
    made_up(tmp_path / "torn").status_file.write_text('{"status": "do', encoding="utf-8")
    made_up(tmp_path / "foreign").result.write_text("[1]", encoding="utf-8")
    made_up(tmp_path / "without").status_file.unlink()
    inventory = take_inventory([str(tmp_path)])
    assert [entry.path.name for entry in inventory.entries] == ["good"]
    assert [path.name for path, _ in inventory.damaged] == ["foreign", "torn", "without"]
    assert all(str(path) in why for path, why in inventory.damaged)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "12", None, [], True])
def test_numbers_that_are_none_are_left_out(tmp_path: Path, value: object) -> None:
    """As no training writes them, and any file may hold them."""
    run = made_up(tmp_path / "run")
    content = {"monitor": "val/loss", "best": {"val/loss": value, "step": value}, "seconds": value, "seed": value}
    run.result.write_text(json.dumps(content), encoding="utf-8")
    (entry,) = take_inventory([str(tmp_path)]).entries
    assert entry.metric is None
    assert entry.seconds is None or entry.seconds < 60
    assert len(list(plain_lines([Row((entry,))]))) == 2
    for found in overview(run)[0]["scores"].values():
        assert "best" not in found


def test_what_is_no_run_is_passed_by(tmp_path: Path) -> None:
    """A project's own config.yaml, hidden folders, attempts set aside, links; a result alone is counted."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("defaults: []", encoding="utf-8")
    run = made_up(tmp_path / "runs" / "one")
    made_up(tmp_path / "runs" / ".one.1-0123abcd.removed")
    made_up(tmp_path / "runs" / "one.attempt1", "failed")
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "result.json").write_text("{}", encoding="utf-8")
    inventory = take_inventory([str(tmp_path)])
    assert [entry.path for entry in inventory.entries] == [run.path]
    assert inventory.damaged == []
    assert inventory.told == ["1 folder holds a result.json alone, without its run; quatrain compare reads it."]


def test_a_run_in_two_folders_is_listed_once_and_a_missing_folder_refused(tmp_path: Path) -> None:
    made_up(tmp_path / "a" / "run")
    assert len(take_inventory([str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "run")]).entries) == 1
    with pytest.raises(UserError, match=r"There is no folder .*nowhere"):
        take_inventory([str(tmp_path / "nowhere")])


def test_sizes_count_a_file_of_several_names_once_and_no_link(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "one").write_bytes(b"x" * 100)
    os.link(folder / "one", folder / "below" / "second")
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    (folder / "link").symlink_to(tmp_path / "large")
    link = (folder / "link").lstat().st_size
    assert room(folder) == 100 + link
    assert freed([folder / "one"]) == 0  # its second name keeps it
    assert freed([folder / "one", folder / "below"]) == 100
    assert freed([folder]) == 100 + link


def test_the_jobs_of_a_sweep_are_one_row_with_the_best_of_them(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    (sweep / CLAIMS).mkdir(parents=True)
    made_up(sweep / "a", loss=3.0, age=100)
    made_up(sweep / "b", loss=2.0, age=50)
    made_up(sweep / "c", "failed", age=10)
    made_up(tmp_path / "alone", loss=1.0, age=500)
    entries = take_inventory([str(tmp_path)]).entries
    grouped = rows(entries, sorting="age", grouped=[sweep])
    assert [(row.path.name, len(row.entries)) for row in grouped] == [("sweep", 3), ("alone", 1)]
    assert grouped[0].metric is not None
    assert grouped[0].metric.value == 2.0
    assert counted(grouped[0].entries) == "2 done, 1 failed"
    assert grouped[0].cells(time.time())[0] == "sweep"
    single = rows(entries, sorting="metric", grouped=[])
    assert [row.path.name for row in single] == ["alone", "b", "a", "c"]


def test_by_metric_the_better_comes_first_whichever_way_is_better(tmp_path: Path) -> None:
    for name, value in (("low", 0.1), ("high", 0.9)):
        made_up(tmp_path / name, score="val/f1", loss=value, monitor="val/f1", mode="max")
    listed = rows(take_inventory([str(tmp_path)]).entries, sorting="metric", grouped=[])
    assert [row.path.name for row in listed] == ["high", "low"]


def test_a_line_in_a_pipe_holds_no_tab_and_no_command_to_a_terminal(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run\twith\x1b[31m", overrides=("data.source=a\tb\x1b[2J",))
    entry = take_inventory([str(tmp_path)]).entries[0]
    lines = list(plain_lines([Row((entry,))]))
    assert len(lines) == 2
    assert not any(one in line for line in lines for one in "\t\x1b\n")
    assert lines[1].endswith(str(run.path).replace("\t", "\\t").replace("\x1b", "\\x1b"))


def test_a_thousand_runs_are_listed_in_less_than_two_seconds(tmp_path: Path) -> None:
    history = {"val/loss": {"step": list(range(200)), "value": [3.123456789] * 200}}
    first = made_up(tmp_path / "run0", history=history, checkpoints=(2, 4))
    files = {path.relative_to(first.path): path.read_bytes() for path in first.path.rglob("*") if path.is_file()}
    assert len(json.loads(files[Path("result.json")])["history"]["val/loss"]["step"]) == 200
    for number in range(1, 1000):
        folder = tmp_path / f"run{number}"
        (folder / "checkpoints").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    began = time.process_time()
    lines = list(plain_lines(rows(take_inventory([str(tmp_path)]).entries, sorting="age", grouped=[])))
    seconds = time.process_time() - began
    assert len(lines) == 1001
    assert seconds < 2


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (in_bytes(0), "0 B"),
        (in_bytes(999), "999 B"),
        (in_bytes(999_600), "1.0 MB"),
        (in_bytes(12_345_678), "12 MB"),
        (in_time(2.14), "2.1 s"),
        (in_time(185), "3:05 min"),
        (in_time(3723), "1:02:03 h"),
        (in_age(59), "59 s"),
        (in_age(3599), "59 min"),
        (in_age(86400 * 12.9), "12 d"),
    ],
)
def test_numbers_in_words(said: str, value: str) -> None:
    assert said == value


def test_an_age_is_read_by_its_unit_and_anything_else_refused() -> None:
    assert [read_age(text, "--older-than") for text in ("90m", "12h", "30d", "2w")] == [5400, 43200, 2592000, 1209600]
    for text in ("30", "d", "-1d", "1.5d", "30 days", ""):
        with pytest.raises(UserError, match="--older-than"):
            read_age(text, "--older-than")
