"""Proves that quatrain runs, show and clean tell the truth of a real run, and that what clean removes was asked for."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from quatrain.__main__ import GROUPS, main
from quatrain.runs.directory import RunDirectory

from .conftest import SMALL

Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunDirectory]:
    """A run whose first step is its best: the learning rate is far too high."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    overrides = ["experiment=quick_windows", *SMALL, "trainer.val_check_interval=1", "optimizer.lr=0.3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUATRAIN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        place = tmp_path_factory.mktemp("trained") / "outputs" / "quick_windows" / "20261122-101500-lr-0.3-0123abcd"
        run = RunDirectory.create(place, compose(overrides), overrides)
        with run_log(run.log):
            assert worker.guarded(run, StopRequest()) == 0
        yield run


@pytest.fixture
def copied(trained: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A copy of it, second names included, below outputs in the working directory."""
    place = tmp_path / trained.path.relative_to(trained.path.parents[2])
    names: dict[int, Path] = {}
    for file in sorted(path for path in trained.path.rglob("*") if path.is_file()):
        there = place / file.relative_to(trained.path)
        there.parent.mkdir(parents=True, exist_ok=True)
        if (first := names.setdefault(file.stat().st_ino, there)) != there:
            os.link(first, there)
        else:
            there.write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    return RunDirectory(place)


def _failed(run: RunDirectory, name: str) -> RunDirectory:
    failed = RunDirectory.create(run.path.with_name(name), run.read_config(), ["seed=2"])
    failed.set_status("failed", "It broke.")
    return failed


def test_runs_lists_a_run_in_a_line(copied: RunDirectory, capsys: Said) -> None:
    assert main(["runs"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    result = copied.read_result()
    assert result is not None
    assert heading.split() == ["status", "best", "age", "took", "size", "experiment", "changed", "path"]
    assert line.startswith(f"done    val/loss {result['best']['val/loss']:.4g}  ")
    assert " quick_windows  verse_size=60 " in line
    assert line.endswith(f"  {copied.path.relative_to(Path.cwd())}")


def test_runs_as_json_has_every_number(copied: RunDirectory, capsys: Said) -> None:
    _failed(copied, "broken-0123abce").status_file.write_text("{", encoding="utf-8")
    assert main(["runs", "outputs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (run,), (damaged,) = told["runs"], told["damaged"]
    assert (run["path"], run["status"], run["seed"], run["experiment"]) == (
        str(copied.path),
        "done",
        1,
        "quick_windows",
    )
    assert run["metric"]["name"] == "val/loss"
    assert run["overrides"][0] == "experiment=quick_windows"
    assert run["bytes"] > 10**6
    assert damaged["path"].endswith("broken-0123abce")
    assert "status.json" in damaged["why"]


def test_runs_by_status_and_limit(copied: RunDirectory, capsys: Said) -> None:
    _failed(copied, "failed-0123abce")
    assert main(["runs", "--status", "failed,interrupted"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["status", "failed"]
    assert main(["runs", "--limit", "1"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert "and 1 more" in said.err


def test_a_sweep_is_one_line_unless_it_is_named(copied: RunDirectory, capsys: Said) -> None:
    (copied.path.parent / ".claims").mkdir()
    _failed(copied, "seed-2-0123abce")
    folder = str(copied.path.parent.relative_to(Path.cwd()))
    assert main(["runs"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith("sweep")
    assert "1 done, 1 failed" in line or "1 failed, 1 done" in line
    assert line.endswith(folder)
    for arguments in (["runs", folder], ["runs", "--jobs"], ["runs", "outputs", str(copied.path), "--jobs"]):
        assert main(arguments) == 0
        assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["runs", "nowhere"], "There is no folder nowhere"),
        (["runs", "--status", "finished"], "--status finished: there is no such status; one of queued,"),
        (["runs", "--limit", "0"], "--limit=0 must be a whole number from 1 on."),
        (["show", "nowhere"], "There is no folder nowhere"),
        (["clean"], "name --status failed,interrupted, --checkpoints"),
        (["clean", "--status", "running"], "a run that somebody works on is never removed"),
        (["clean", "--leftovers", "--older-than", "soon"], "--older-than soon: give a number with m, h, d or w"),
        (["clean", "outputs", "--cache"], "--cache is of no FOLDER"),
        (["clean", "link", "--leftovers"], "link is a link, and nothing is removed through links"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    arguments: list[str], sentence: str, copied: RunDirectory, capsys: Said
) -> None:
    Path("link").symlink_to("outputs")
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
    assert copied.config.is_file()


def test_show_tells_what_a_run_is_and_scored(copied: RunDirectory, capsys: Said) -> None:
    assert main(["show", str(copied.path)]) == 0
    said = capsys.readouterr()
    result = copied.read_result()
    assert result is not None
    for part in (
        "status      done\n",
        "scores: the best of step 1, by val/loss\n",
        "tokens/s",
        "parameters",
        "quatrain generate ",
        f"quatrain resume {copied.path.relative_to(Path.cwd())} --max-epochs N --reschedule",
    ):
        assert part in said.out
    (line,) = [line for line in said.out.splitlines() if line.startswith("val/loss")]
    assert line.split() == ["val/loss", *(f"{result[which]['val/loss']:.4g}" for which in ("best", "metrics"))]
    assert said.err == ""
    assert not any(line != line.rstrip() for line in said.out.splitlines())


@pytest.mark.parametrize("command", ["runs", "show"])
def test_json_of_a_hostile_run_commands_no_terminal(command: str, copied: RunDirectory, capsys: Said) -> None:
    hostile = "+data.a=\x9b31m\u202e\x7f"
    copied.overrides.write_text(json.dumps([hostile]), encoding="utf-8")
    assert main([command, str(copied.path), "--json"]) == 0
    told = capsys.readouterr().out
    assert told.isascii()
    assert "\x7f" not in told
    found = json.loads(told)
    assert (found["runs"][0] if command == "runs" else found)["overrides"] == [hostile]


def test_show_as_json_counts_what_the_files_hold(copied: RunDirectory, capsys: Said) -> None:
    assert main(["show", str(copied.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(copied.export)
    assert told["parameters"] == sum(one.numel() for one in model.parameters())
    assert [(one["step"], one["best"], one["last"]) for one in told["checkpoints"]] == [
        (1, True, False),
        (2, False, False),
        (3, False, True),
    ]
    result = copied.read_result()
    assert result is not None
    assert told["scores"]["val/loss"] == {
        "best": result["best"]["val/loss"],
        "last": result["metrics"]["val/loss"],
    }
    assert told["settings"]["optimizer.lr"] == 0.3
    assert sum(told["files"].values()) == told["bytes"]
    assert told["data"]["examples/train"] > 0


def test_show_has_the_intervals_of_an_evaluation_unless_the_run_was_trained_on(
    copied: RunDirectory, capsys: Said
) -> None:
    entry = {"metrics": {"loss": {"value": 7.0, "low": 6.5, "high": 7.5}}}
    content = {"weights": "x", "step": 1, "evaluations": {"validation": entry}}
    copied.evaluation.write_text(json.dumps(content), encoding="utf-8")
    os.utime(copied.evaluation, (0, 0))  # a copy has any times
    assert main(["show", str(copied.path)]) == 0
    assert "6.5 to 7.5" in capsys.readouterr().out
    copied.evaluation.write_text(json.dumps({**content, "step": 3}), encoding="utf-8")
    assert main(["show", str(copied.path)]) == 0
    assert "6.5 to 7.5" not in capsys.readouterr().out


def test_show_tells_the_rest_where_a_part_is_damaged(copied: RunDirectory, capsys: Said) -> None:
    copied.provenance.write_text("{", encoding="utf-8")
    assert main(["show", str(copied.path)]) == 0
    said = capsys.readouterr()
    assert "status      done" in said.out
    assert "provenance.json cannot be read" in said.err


def test_show_of_a_sweep_has_its_best_and_why_others_failed(copied: RunDirectory, capsys: Said) -> None:
    _failed(copied, "seed-2-0123abce")
    assert main(["show", str(copied.path.parent)]) == 0
    out = capsys.readouterr().out
    assert "runs         2: " in out
    assert copied.path.name in out
    assert "It broke." in out
    assert f"quatrain compare {copied.path.parent.relative_to(Path.cwd())}" in out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["quatrain", "train", "-m", "seed=1,2", "data.source=my file"], True),
        (["quatrain", "train", "seed=1"], False),
        (["rm", "-m", "x"], False),
        ("quatrain train -m", False),
    ],
)
def test_show_of_a_sweep_tells_the_command_that_goes_on(
    copied: RunDirectory, capsys: Said, command: object, told: bool
) -> None:
    """Where a job failed, as that one was begun; only a sweep goes on so, and not where all are done."""
    assert main(["show", str(copied.path.parent)]) == 0
    assert "go on with what failed" not in capsys.readouterr().out
    failed = _failed(copied, "seed-2-0123abce")
    failed.provenance.write_text(json.dumps({"command": command}), encoding="utf-8")
    assert main(["show", str(copied.path.parent)]) == 0
    out = capsys.readouterr().out
    assert ("quatrain train -m seed=1,2 'data.source=my file'    # go on with what failed" in out) is told
    assert ("go on with what failed" in out) is told


def test_clean_shows_first_and_removes_with_yes(copied: RunDirectory, capsys: Said) -> None:
    failed = _failed(copied, "failed-0123abce")
    assert main(["clean", "--status", "failed"]) == 0
    said = capsys.readouterr()
    assert "failed run" in said.out
    assert "1 thing, " in said.out
    assert "nothing was removed" in said.err
    assert failed.config.is_file()
    assert main(["clean", "--status", "failed", "--older-than", "1h", "--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().err
    assert main(["clean", "--status", "failed", "--yes"]) == 0
    assert "removed 1 of 1" in capsys.readouterr().err
    assert not failed.path.exists()
    assert copied.config.is_file()


def test_clean_says_which_attempts_stay(copied: RunDirectory, capsys: Said) -> None:
    """Attempts of a run that goes are told of, unless they go too."""
    _failed(copied, "failed-0123abce.attempt1")
    _failed(copied, "failed-0123abce")
    _failed(copied, "other-0123abcf.attempt1")
    assert main(["clean", "--status", "failed"]) == 0
    assert "1 attempt of theirs that was set aside will stay; --leftovers takes such too." in capsys.readouterr().err
    assert main(["clean", "--status", "failed", "--leftovers"]) == 0
    assert "will stay" not in capsys.readouterr().err


def test_a_job_that_a_sweep_works_on_stays_and_the_exit_code_says_so(copied: RunDirectory, capsys: Said) -> None:
    from quatrain.sweeps.claims import claim

    failed = _failed(copied, "seed-2-0123abce")
    held = claim(failed.path.parent / ".claims" / "0123abce", on_lost=lambda: None)
    assert held is not None
    try:
        assert main(["clean", "--status", "failed", "--yes"]) == 1
    finally:
        held.release()
    said = capsys.readouterr()
    assert "is a job that a sweep works on" in said.err
    assert "The same sweep command runs a job again" in said.err
    assert failed.config.is_file()
    assert main(["clean", "--status", "failed", "--yes"]) == 0
    assert not failed.path.exists()


def test_a_run_without_its_later_checkpoints_is_whole_and_trains_on(
    copied: RunDirectory, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean", "--checkpoints", "--yes"]) == 0
    assert "it can be trained on from step 1 only, not from 3" in capfd.readouterr().err
    assert [path.name[:13] for path in sorted(copied.checkpoints.iterdir())] == ["best.ckpt", "step-00000001"]
    assert main(["export", str(copied.path), "--to", "again"]) == 0
    assert main(["resume", str(copied.path), "--max-steps", "2"]) == 0
    assert "going on after step 1" in capfd.readouterr().err
    assert copied.status().status == "done"


def test_clean_of_the_cache_takes_what_nobody_asked_for_lately(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    from quatrain.data.cache import prepare_once

    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path))

    def build(folder: Path) -> dict[str, int]:
        (folder / "ids").write_bytes(b"x" * 100)
        return {}

    old, used = (prepare_once("streams", digest, build) for digest in ("old", "used"))
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "text").write_text("from far away", encoding="utf-8")
    for place in (old, used):
        os.utime(place / "meta.json", (0, 0))
    prepare_once("streams", "used", build)  # it is there, and asked for
    assert main(["clean", "--cache", "--yes"]) == 0
    assert "prepared streams" in capsys.readouterr().out
    assert not old.exists()
    assert (used / "ids").is_file()
    assert (tmp_path / "downloads" / "text").is_file()
    assert prepare_once("streams", "old", build).joinpath("ids").is_file()


@pytest.mark.parametrize("typed", ["yes\n", "n\n"])
def test_on_a_terminal_a_typed_yes_removes(typed: str, copied: RunDirectory) -> None:
    """In a pseudo terminal, as a person has it."""
    import pty
    import subprocess
    import sys

    failed = _failed(copied, "failed-0123abce")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "quatrain", "clean", "--status", "failed"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while b"Type yes: " not in said:
            said += os.read(ours, 1000)
        os.write(ours, typed.encode())
        assert process.wait() == 0
    os.close(ours)
    assert failed.path.exists() == (typed != "yes\n")


def test_help_groups_the_commands_and_fits_a_terminal(capsys: Said) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(len(line) < 80 for line in out.splitlines())
    for title, commands in GROUPS.items():
        block = out.partition(f"\n{title}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in block] == list(commands)
