"""A study survives the kill of whoever writes to it: a torn line costs that line, a lock left behind costs nothing."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import pytest

from quatrain.core.errors import UserError
from quatrain.sweeps.journal import cut_torn_end, journal_storage
from quatrain.sweeps.search_settings import SearchSettings
from quatrain.sweeps.study import open_study

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
import optuna
from quatrain.sweeps.journal import journal_storage
path = Path(sys.argv[1])
study = optuna.load_study(study_name="search", storage=journal_storage(path))
study.ask().suggest_float("x", 0, 1)
real = os.fsync
def torn(descriptor):
    os.truncate(path, os.path.getsize(path) - 20)
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = torn
study.ask()
"""


def study_in(path: Path) -> "optuna.Study":
    return optuna.create_study(study_name="search", storage=journal_storage(path), load_if_exists=True)


def test_a_writer_killed_in_the_midst_of_a_line_loses_that_line_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "optuna.journal"
    study_in(path).ask()
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not path.read_bytes().endswith(b"\n")
    began = time.monotonic()
    study = study_in(path)
    assert len(study.trials) == 2  # the third was never told to anybody
    trial = study.ask()
    study.tell(trial, 1.0)
    assert time.monotonic() - began < 5  # Optuna's own lock would wait for half a minute
    again = study_in(path)
    assert [one.number for one in again.trials] == [0, 1, 2]
    assert again.trials[1].params == study.trials[1].params != {}
    assert again.trials[2].value == 1.0


@pytest.mark.parametrize("torn", [b"", b"x", b"x" * 10_000, b'{"a":1}'])
def test_only_what_follows_the_last_line_is_cut(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal"
    for whole in (b"", b"first\nsecond\n", b"long " * 3000 + b"\n"):
        path.write_bytes(whole + torn)
        cut_torn_end(path)
        assert path.read_bytes() == whole


def test_threads_of_their_own_storages_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "optuna.journal"
    study_in(path)

    def ask() -> None:
        study = study_in(path)
        for _ in range(8):
            study.tell(study.ask(), 0.0)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in study_in(path).trials] == list(range(24))


@pytest.mark.parametrize(("storage", "name"), [("journal", "optuna.journal"), ("sqlite", "optuna.db")])
def test_a_file_that_is_no_study_is_told_in_a_sentence(tmp_path: Path, storage: str, name: str) -> None:
    settings = SearchSettings(1, "tpe", 1, "none", 0, 0, 3, storage, 1, None)
    with pytest.raises(UserError, match="is not there"):
        open_study(tmp_path, settings)
    (tmp_path / name).write_bytes(b'{"op_code": "no"\n}\nmore\n')
    with pytest.raises(UserError, match="cannot be used"):
        open_study(tmp_path, settings)
