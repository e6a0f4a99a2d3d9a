"""Proves that a run directory appears whole and once, and that its status tells the truth about its process."""

import json
import math
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.identity import is_alive, start_of

CONFIG = {"seed": 1, "data": {"source": "verse", "lines": [1, 2]}, "model": {"config": None}, "text": "é: ü"}


def test_a_new_directory_holds_config_overrides_and_status(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "deep" / "run", CONFIG, ["seed=1", "data.source=verse"])
    assert sorted(file.name for file in run.path.iterdir()) == ["config.yaml", "overrides.yaml", "status.json"]
    assert run.read_config() == CONFIG
    assert list(run.read_config()) == list(CONFIG)
    assert run.read_overrides() == ["seed=1", "data.source=verse"]
    assert run.status().status == "queued"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


def test_a_directory_that_exists_is_a_sentence_and_is_not_touched(tmp_path: Path) -> None:
    for name, content in (("empty", None), ("full", "mine")):
        folder = tmp_path / name
        folder.mkdir()
        if content:
            (folder / "config.yaml").write_text(content)
        before = sorted(folder.iterdir())
        with pytest.raises(UserError, match=rf"run\.dir=.*{name} exists already; name a new folder"):
            RunDirectory.create(folder, CONFIG, [])
        assert sorted(folder.iterdir()) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        RunDirectory.create(tmp_path / "file", CONFIG, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "full"]


def test_a_folder_inside_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotNow, match="cannot be written"):
        RunDirectory.create(tmp_path / "file" / "run", CONFIG, [])


def test_a_config_that_is_not_plain_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="represent"):
        RunDirectory.create(tmp_path / "run", {"seed": object()}, [])
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_want_one_name_one_gets_it(tmp_path: Path) -> None:
    got, refused = [], []

    def take() -> None:
        try:
            got.append(RunDirectory.create(tmp_path / "run", CONFIG, []))
        except UserError as error:
            refused.append(error)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_names_that_nobody_chose_are_numbered(tmp_path: Path) -> None:
    runs = [RunDirectory.create(tmp_path / "run", CONFIG, [], numbered=True) for _ in range(3)]
    assert [run.path.name for run in runs] == ["run", "run-2", "run-3"]
    assert all(run.read_config() == CONFIG for run in runs)


def test_every_file_has_its_name(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    named = ["config", "overrides", "provenance", "status_file", "metrics_file", "result", "log"]
    names = [getattr(run, name).name for name in [*named, "checkpoints", "export", "tracking"]]
    assert names == [
        *("config.yaml", "overrides.yaml", "provenance.json", "status.json", "metrics.csv", "result.json", "run.log"),
        *("checkpoints", "export", "tracking"),
    ]
    assert not run.path.exists()


def test_a_status_is_written_whole_and_read_back(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", CONFIG, [])
    run.set_status("running")
    assert run.status().status == "running"
    assert (run.status().pid, run.status().host) == (os.getpid(), socket.gethostname())
    run.set_status("failed", "data.stride=0 must be at least 1.")
    assert (run.status().status, run.status().why) == ("failed", "data.stride=0 must be at least 1.")
    assert json.loads(run.status_file.read_text())["status"] == "failed"


def test_a_status_that_says_nothing_is_refused(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", CONFIG, [])
    for status, why in (("failed", None), ("finished", None)):
        with pytest.raises(ValueError, match="must be one of queued"):
            run.set_status(status, why)  # type: ignore[arg-type]


def test_a_running_process_that_was_killed_reads_as_interrupted(tmp_path: Path) -> None:
    """A process of its own says running; while it lives that stands, once killed it does not, nor as a zombie."""
    run = RunDirectory.create(tmp_path / "run", CONFIG, [])
    code = (
        "import sys, time; from quatrain.runs.directory import RunDirectory;"
        "RunDirectory(sys.argv[1]).set_status('running'); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert run.status().status == "running"
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert run.status().status == "interrupted"
    process.wait()
    process.stdout.close()
    assert run.status().status == "interrupted"
    assert json.loads(run.status_file.read_text())["status"] == "running"


def test_a_process_number_that_was_given_away_is_not_the_process() -> None:
    own = start_of(os.getpid())
    assert own
    assert is_alive(os.getpid(), own)
    assert not is_alive(os.getpid(), own + "1")
    assert start_of(2**22 + 1) is None


def test_running_on_another_machine_is_believed(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", CONFIG, [])
    run.set_status("running")
    told = json.loads(run.status_file.read_text()) | {"host": "elsewhere", "pid": 2**22 + 1}
    run.status_file.write_text(json.dumps(told))
    assert run.status().status == "running"


def test_results_are_strict_json(tmp_path: Path) -> None:
    """JSON has no word for infinity."""
    run = RunDirectory.create(tmp_path / "run", CONFIG, [])
    assert run.read_result() is None
    run.write_result({"metrics": {"val/perplexity": math.inf, "val/loss": 0.1}, "best": None, "many": (1, math.nan)})
    assert run.read_result() == {"metrics": {"val/perplexity": None, "val/loss": 0.1}, "best": None, "many": [1, None]}


@pytest.mark.parametrize("content", [None, "- a list\n", "a: [", "plain"])
def test_what_is_no_run_directory_is_a_sentence(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=r"config\.yaml (does not exist|cannot be read|holds no mapping)"):
        RunDirectory(tmp_path).read_config()


def test_importing_the_room_does_not_import_torch() -> None:
    """`quatrain train` imports the room before its worker; torch would be paid for twice."""
    code = (
        "import sys; import quatrain.runs.directory, quatrain.runs.naming, quatrain.runs.provenance,"
        "quatrain.runs.processes, quatrain.runs.export, quatrain.runs.run_log;"
        "sys.exit(bool({'torch', 'transformers', 'pytorch_lightning'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
