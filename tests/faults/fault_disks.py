"""A disk that is full, one that nobody may write to, and checkpoints that a disk has damaged."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory
from quatrain.training.checkpoint_files import saved_in

from .driver import assert_same, end_of, freeze, interrupted, quatrain, resumed, under_way, wait_for


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left on device"):
        write_for_ever(filler)
    return filler


def write_for_ever(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))


def test_a_disk_that_fills_up(small_disk: Path, whole: RunDirectory) -> None:
    """The run ends with a sentence, earlier checkpoints are whole, and with room again it goes on."""
    run = freeze(small_disk / "run")
    process = quatrain("resume", str(run.path))
    wait_for(lambda: under_way(run) and len(saved_in(run.checkpoints)) > 1)
    filler = fill(small_disk)
    code, said = end_of(process)
    assert code == 1, said
    assert "cannot be written (No space left on device); make room" in said
    assert "Traceback" not in said
    checkpoints = saved_in(run.checkpoints)
    assert checkpoints
    assert all(saved.is_whole() for saved in checkpoints)
    assert not list(run.checkpoints.glob(".*.tmp"))
    again, said = resumed(run)  # still full: a sentence, and no harm
    assert again in (1, 2)
    assert "No space left on device" in said
    filler.unlink()
    assert resumed(run)[0] == 0
    assert_same(run, whole)


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    fill(small_disk)
    code, said = end_of(quatrain("train", "experiment=quick_mrpc", f"run.dir={small_disk}/run"))
    assert code == 2
    assert "cannot be written (No space left on device)" in said
    assert os.listdir(small_disk) == ["filler"]  # noqa: PTH208 - hidden files count


def test_a_run_directory_that_is_read_only(small_disk: Path, whole: RunDirectory) -> None:
    run = interrupted(small_disk / "run")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for words in ((), ("--max-epochs", "3")):
        code, said = end_of(quatrain("resume", str(run.path), *words))
        assert code == 2
        assert "cannot be written (Read-only file system)" in said
        assert "Traceback" not in said
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert run.status().status == "interrupted"
    assert resumed(run)[0] == 0
    assert_same(run, whole)


@pytest.mark.parametrize("damage", ["cut at a random byte", "a flipped bit"])
def test_a_damaged_checkpoint(damage: str, tmp_path: Path, whole: RunDirectory) -> None:
    run = interrupted(tmp_path / "run")
    newest, before = saved_in(run.checkpoints)[:2]
    content, chance = bytearray(newest.path.read_bytes()), random.Random(damage)
    place = chance.randrange(len(content))
    if damage.startswith("cut"):
        newest.path.write_bytes(content[:place])
    else:
        content[place] ^= 1 << chance.randrange(8)
        newest.path.write_bytes(content)
    code, said = resumed(run)
    assert code == 0
    assert f"{newest.path} is torn or corrupt" in said
    assert f"going on after step {before.step}, from {before.path.name}" in said
    assert (run.checkpoints / f"{newest.path.name}.corrupt").exists()
    assert_same(run, whole)
