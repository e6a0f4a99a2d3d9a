"""Proves what removing a run never does: touch one that is worked on, follow links, take what is not ours, or leave a
half run that looks whole, wherever it is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.runs import lock
from quatrain.runs.directory import RunDirectory
from quatrain.runs.inventory import take_inventory
from quatrain.runs.leftovers import SILENT, leftovers
from quatrain.runs.removable import Removable, removable_runs, spare_checkpoints
from quatrain.runs.removal import OURS, remove_run

from .made_up_runs import DEAD, made_up


def _selected(folder: Path, *statuses: str, older_than: float = 0.0) -> tuple[list[Removable], list[str]]:
    return removable_runs(take_inventory([str(folder)]).entries, statuses, older_than, time.time())


def _spare(folder: Path) -> tuple[list[Removable], list[str]]:
    return spare_checkpoints(take_inventory([str(folder)]).entries, 0.0, time.time())


def _guard(run: RunDirectory) -> "nullcontext[None]":
    return nullcontext()


def test_runs_go_by_status_and_age_and_the_others_stay(tmp_path: Path) -> None:
    for name, status, age in (("old", "failed", 500), ("new", "failed", 5), ("done", "done", 500)):
        made_up(tmp_path / name, status, age=age)
    found, told = _selected(tmp_path, "failed", "interrupted", older_than=100)
    assert ([one.place.name for one in found], told) == (["old"], [])
    assert found[0].bytes > 0
    for one in found:
        one.remove(_guard)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "new"]


def test_a_run_that_somebody_works_on_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "AFTER_A_KILL", 0.05)
    run = made_up(tmp_path / "run", "failed")
    (one,), _ = _selected(tmp_path, "failed")
    for held in (run.lock, run.command_lock):
        with lock.locked(run, held), pytest.raises(UserError, match="is being run by"):
            one.remove(_guard)
        assert run.status().status == "failed"
    run.set_status("running")  # begun since it was selected
    with pytest.raises(UserError, match="is running now"):
        one.remove(_guard)
    assert run.config.is_file()


def test_who_guards_a_run_is_asked_first(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", "failed")

    @contextmanager
    def refuse(_: RunDirectory) -> Iterator[None]:
        raise UserError("A sweep works on it.")
        yield

    with pytest.raises(UserError, match="A sweep"):
        remove_run(run, "failed", guard=refuse)
    assert run.config.is_file()


def test_a_run_with_a_file_of_the_users_stays(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", "failed")
    (one,), _ = _selected(tmp_path, "failed")
    (run.path / "notes.txt").write_text("mine", encoding="utf-8")
    assert _selected(tmp_path, "failed") == ([], [f"{run.path} is left, for it holds what no run wrote: notes.txt."])
    with pytest.raises(UserError, match=r"notes\.txt"):
        one.remove(_guard)  # it came after the selection
    assert (run.path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_every_path_of_a_run_directory_counts_as_ours() -> None:
    own = {path.name for path in vars(RunDirectory("run")).values() if isinstance(path, Path)} - {"run"}
    assert own <= OURS


def test_links_are_deleted_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").write_text("kept", encoding="utf-8")
    run = made_up(tmp_path / "runs" / "run", "failed")
    (run.path / "export").symlink_to(tmp_path / "mine")
    (tmp_path / "runs" / "other").symlink_to(made_up(tmp_path / "elsewhere" / "other", "failed").path)
    found, _ = _selected(tmp_path / "runs", "failed")
    assert [one.place.name for one in found] == ["run"]
    found[0].remove(_guard)
    assert not run.path.exists()
    assert (tmp_path / "mine" / "text").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "elsewhere" / "other" / "config.yaml").is_file()


KILLED = """
import os, shutil, signal, sys
from contextlib import nullcontext
from quatrain.runs.directory import RunDirectory
from quatrain.runs.removal import remove_run
shutil.rmtree = lambda path: (os.unlink(os.path.join(path, "result.json")), os.kill(os.getpid(), signal.SIGKILL))
remove_run(RunDirectory(sys.argv[1]), "done", guard=lambda run: nullcontext())
"""


def test_a_kill_in_the_midst_leaves_no_half_run_and_the_next_cleaning_takes_the_rest(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", checkpoints=(2, 4))
    ended = subprocess.run([sys.executable, "-c", KILLED, str(run.path)], check=False)
    assert ended.returncode == -9
    assert not run.path.exists()
    inventory = take_inventory([str(tmp_path)])
    assert (inventory.entries, inventory.damaged, inventory.told) == ([], [], [])
    (left,) = leftovers([tmp_path])
    assert left.bytes >= 2000
    left.remove(_guard)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_are_what_dead_processes_wrote_and_nothing_else(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", checkpoints=(2,))
    made_up(tmp_path / "run.attempt1", "failed")
    mine = tmp_path / "mine.attempt2"
    mine.mkdir()
    (mine / "thesis.tex").write_text("x", encoding="utf-8")
    dead, alive = f"{DEAD}-0123abcd.tmp", f"{os.getpid()}-0123abcd.tmp"
    kept = [run.path / f".status.json.{alive}", run.checkpoints / "last.ckpt", run.path / ".mine.tmp"]
    fresh = run.checkpoints / f".best.ckpt.{dead}"  # another host's process of that number may be at it
    gone = [run.path / f".result.json.{dead}", run.checkpoints / "step-00000009-0123456789abcdef.ckpt.corrupt"]
    for path in [*kept, fresh, *gone]:
        path.write_bytes(b"x")
    strange = tmp_path / f".folder.{dead}"
    strange.mkdir()
    (strange / "photo.jpg").write_bytes(b"x")
    for path in [*kept, *gone, strange]:
        os.utime(path, (time.time() - SILENT - 10,) * 2)
    found = {one.place for one in leftovers([tmp_path])}
    assert found == {*gone, tmp_path / "run.attempt1"}
    for one in list(leftovers([tmp_path])):
        one.remove(_guard)
    assert all(path.exists() for path in [*kept, fresh, mine, strange, run.result])
    assert not any(path.exists() for path in gone)


def test_of_a_done_run_all_checkpoints_but_the_best_go(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", checkpoints=(2, 3, 4), best=2)
    (one,), told = _spare(tmp_path)
    assert (told, one.bytes, one.place) == ([], 2000, run.checkpoints)
    assert one.lost == "it can be trained on from step 2 only, not from 4"
    one.remove(_guard)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["best.ckpt", f"step-00000002-{2:016x}.ckpt"]
    assert _spare(tmp_path) == ([], [])


def test_checkpoints_of_a_run_that_is_not_done_stay_and_so_do_those_without_the_best(tmp_path: Path) -> None:
    made_up(tmp_path / "failed", "failed", checkpoints=(2, 4))
    without = made_up(tmp_path / "without", checkpoints=(3, 4), best=2)
    assert _spare(tmp_path) == (
        [],
        [f"{without.checkpoints} is left, for the best checkpoint is not among those in it."],
    )


def test_a_single_checkpoint_that_is_best_and_last_stays_whole(tmp_path: Path) -> None:
    made_up(tmp_path / "run", checkpoints=(2,), best=2)
    assert _spare(tmp_path) == ([], [])
