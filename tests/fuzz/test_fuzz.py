"""Random command lines, files and run directories: no traceback, no hang, nothing touched that was not named.

    make fuzz SECONDS=600      FUZZ_SEED=N begins with another round

The properties share the time, and each goes on until its share is over; without a time each runs one short round.
"""

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.config.check import check
from quatrain.config.compose import compose
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory, load_run

from . import strategies
from .rounds import Room, judge, rounds


@pytest.fixture
def room(tmp_path: Path) -> Callable[[], Room]:
    numbers = itertools.count()
    return lambda: Room(tmp_path, next(numbers))


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Commands go as far as starting a worker, and find it done."""

    def done(folder: Path) -> int:
        RunDirectory(folder).set_status("done")
        return 0

    monkeypatch.setattr("quatrain.runs.processes.start_worker", lambda folder, *_, **__: done(folder))
    monkeypatch.setattr("quatrain.runs.attempts.start_worker", lambda folder, *_, **__: done(folder))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


def test_command_lines(room: Callable[[], Room]) -> None:
    def one(example: tuple[list[str], tuple[str, ...]]) -> None:
        words, flags = example
        room().run(["train", *flags, *words])

    rounds(strategies.COMMAND_LINES, one, examples=20)


def test_what_is_accepted_is_plain_and_means_the_same_when_read_back(room: Callable[[], Room]) -> None:
    def one(example: tuple[list[str], tuple[str, ...]]) -> None:
        try:
            config = compose(example[0])
        except UserError:
            return
        again = yaml.safe_load(yaml.safe_dump(config, allow_unicode=True))
        assert again == config
        check(again)

    rounds(strategies.COMMAND_LINES, one, examples=20)


def test_config_files(room: Callable[[], Room]) -> None:
    def one(example: tuple[str, str, bytes]) -> None:
        group, _, content = example
        place = room()
        file = strategies.put(place.inside, f"own/{group}/mine.yaml", content)
        place.run(["train", "--config-dir", "own", f"{group}=mine"])
        assert file.read_bytes() == content

    rounds(strategies.config_files(), one, examples=20)


def test_data_files(room: Callable[[], Room]) -> None:
    def one(example: tuple[str, bytes]) -> None:
        name, content = example
        place = room()
        file = strategies.put(place.inside, name, content)
        columns = "data.text_columns=[sentence1,sentence2]"
        kinds = {
            "masked_text": [] if ".txt" in name else ["data.text_column=sentence1"],
            "pairs": ["experiment=quick_mrpc", columns],
        }
        for data, own in kinds.items():
            words = [f"data={data}", *own]
            shares = ["data.validation_share=0.2", "data.test_share=0"]
            code, _ = place.run(["preprocess", *words, *shares, f"data.source={name}", f"run.dir=out_{data}"])
            assert (place.inside / f"out_{data}").exists() == (code == 0)
        assert file.read_bytes() == content

    rounds(strategies.data_files(), one, examples=20)


def test_run_directories(room: Callable[[], Room]) -> None:
    whole = compose(["experiment=quick_windows"])

    def one(damages: list[tuple[str, str, bytes, int]]) -> None:
        place = room()
        run = _run(place.inside / "run", whole)
        for damage in damages:
            _damage(run, place.around / "outside.txt", *damage)
        for read in (
            lambda: check(load_run(run.path).read_config()),
            lambda: load_run(run.path).read_overrides(),
            lambda: load_run(run.path).status(),
            lambda: load_run(run.path).read_result(),
            lambda: load_run(run.path).read_metrics(),
            lambda: compose([f"model.weights={run.path}"]),
            lambda: compose(["tokenizer=pretrained", f"tokenizer.source={run.path}"]),
        ):
            with contextlib.suppress(UserError):
                read()
        place.run(["resume", "run"])

    rounds(strategies.damages(), one, examples=20)


def test_commands_in_processes_of_their_own(room: Callable[[], Room]) -> None:
    whole = compose(["experiment=quick_windows"])

    def one(example: tuple[Any, Any]) -> None:
        (words, _), damages = example
        place = room()
        run = _run(place.inside / "run", {**whole, "trainer": None})  # never fit to be trained
        for damage in damages:
            _damage(run, place.around / "outside.txt", *damage)
        typed = [word for word in words if "\0" not in word and "\ud800" not in word]
        for command in (["quatrain", "train", *typed, "bad.key=1"], ["quatrain.worker", str(run.path)]):
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=place.inside,
                env={**os.environ, "PYTHONIOENCODING": "utf-8:replace"},
                capture_output=True,
                timeout=60,
                check=False,
            )
            judge(command, done.returncode, done.stderr.decode("utf-8", "replace"))
            assert done.returncode != 0
        place.untouched()

    rounds(strategies.st.tuples(strategies.COMMAND_LINES, strategies.damages()), one, examples=2)


def _run(folder: Path, config: dict[str, Any]) -> RunDirectory:
    run = RunDirectory.create(folder, config, ["experiment=quick_windows"])
    run.set_status("done")
    run.write_result({"metrics": {"val/loss": 1.0}, "best": {"step": 1}, "seconds": 1.0, "tokens_per_second": 1.0})
    run.write_provenance({"git": {"commit": "0" * 40}})
    run.metrics_file.write_text("step,epoch,train/loss\n1,0,2.5\n2,0,2.25\n", encoding="utf-8")
    return run


def _damage(run: RunDirectory, outside: Path, name: str, kind: str, content: bytes, number: int) -> None:
    path = run.path / name
    if path.is_symlink() or not path.is_file():
        return
    whole = path.read_bytes()
    at = number % max(1, len(whole))
    if kind == "cut":
        path.write_bytes(whole[:at])
    elif kind == "byte":
        path.write_bytes(whole[:at] + content[:1] + whole[at + 1 :])
    elif kind == "replace":
        path.write_bytes(content)
    elif kind == "value":
        lines = whole.splitlines()
        place = number % max(1, len(lines))
        lines[place : place + 1] = [lines[place].partition(b":")[0] + b": " + content] if lines else []
        path.write_bytes(b"\n".join(lines))
    else:
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to(outside)
        elif kind == "loop":
            path.symlink_to(path)
        elif kind == "unreadable":
            path.write_bytes(whole)
            path.chmod(0)
