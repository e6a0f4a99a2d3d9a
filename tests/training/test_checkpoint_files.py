"""Proves that a damaged checkpoint is never taken for a whole one, that the right ones are kept, and that what killed
processes leave behind is mended.
"""

import errno
import os
import pickle
import random
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quatrain.core.errors import NotNow, UserError
from quatrain.training.checkpoint_files import (
    BEST,
    LAST,
    Saved,
    WholeCheckpoints,
    _Hashed,
    digest_of,
    keep_newest,
    newest_whole,
    read,
    saved_in,
    second_name,
    take_name,
    tidy,
    whole_of_step,
)
from quatrain.training.resume import find_start


def write(folder: Path, step: int, *, resumable: bool = True) -> Saved:
    """A checkpoint as the training writes it."""
    io, temporary = WholeCheckpoints(), folder / ".writing.ckpt.tmp"
    io.save_checkpoint({"global_step": step, "weights": torch.full((50,), float(step))}, temporary)
    return take_name(temporary, step, io.digest, resumable=resumable)


def silent(sentence: str) -> None:
    raise AssertionError(sentence)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - hidden files count


def test_the_name_holds_the_checksum_of_what_lies_there(tmp_path: Path) -> None:
    saved = write(tmp_path, 3)
    assert saved.path.name == f"step-00000003-{digest_of(saved.path)}.ckpt"
    assert names(tmp_path) == [saved.path.name]
    assert newest_whole(tmp_path, silent) == saved == whole_of_step(tmp_path, 3)
    assert read(saved.path)["global_step"] == 3


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_cut_or_a_flipped_bit_anywhere_is_found(tmp_path: Path, place: float, bit: int, cut: bool) -> None:
    """The one before is taken, and the sentence names the file."""
    folder = tmp_path / random.randbytes(8).hex()
    before, newest = write(folder, 1), write(folder, 2)
    content = bytearray(newest.path.read_bytes())
    byte = int(place * len(content))
    if cut:
        newest.path.write_bytes(content[:byte])
    else:
        content[byte] ^= 1 << bit
        newest.path.write_bytes(content)
    told: list[str] = []
    assert newest_whole(folder, told.append) == before
    assert len(told) == 1
    assert f"{newest.path} is torn or corrupt" in told[0]
    assert whole_of_step(folder, 2) is None


def test_where_none_is_whole_nothing_is_begun_anew_in_silence(tmp_path: Path) -> None:
    for step in (1, 2):
        write(tmp_path, step).path.write_bytes(b"")
    with pytest.raises(UserError, match=r"torn or corrupt.* there is no other checkpoint; delete"):
        newest_whole(tmp_path, silent)
    assert newest_whole(tmp_path / "none", silent) is None


@pytest.mark.parametrize(
    ("keep", "best", "left"), [(1, None, [9]), (2, None, [9, 6]), (2, 3, [9, 6, 3]), (2, 6, [9, 6]), (9, 0, [9, 6, 3])]
)
def test_the_newest_and_the_best_are_kept(tmp_path: Path, keep: int, best: int | None, left: list[int]) -> None:
    for step in (3, 6, 9):
        written = write(tmp_path, step)
    keep_newest(tmp_path, written, keep, best_step=best)
    assert [saved.step for saved in saved_in(tmp_path)] == left


def test_a_best_one_within_a_step_is_kept_and_never_resumed_from(tmp_path: Path) -> None:
    step = write(tmp_path, 3)
    within = write(tmp_path, 4, resumable=False)
    assert newest_whole(tmp_path, silent) == step
    assert whole_of_step(tmp_path, 4) == within
    written = write(tmp_path, 6)
    keep_newest(tmp_path, written, 1, best_step=4)
    assert saved_in(tmp_path) == [written, within]
    keep_newest(tmp_path, written, 1, best_step=6)
    assert saved_in(tmp_path) == [written]


def test_later_ones_of_a_life_that_was_left_are_deleted(tmp_path: Path) -> None:
    """A run that went on from step 3 as step 6 was corrupt writes its own step 4; the old 6 may not outlive it."""
    write(tmp_path, 6)
    written = write(tmp_path, 4)
    keep_newest(tmp_path, written, 2, best_step=None)
    assert saved_in(tmp_path) == [written]


def test_a_second_name_costs_no_space_where_links_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = write(tmp_path, 1)
    second_name(saved.path, tmp_path / LAST)
    assert (tmp_path / LAST).samefile(saved.path)

    def none(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", none)
    second_name(saved.path, tmp_path / BEST)
    assert not (tmp_path / BEST).samefile(saved.path)
    assert (tmp_path / BEST).read_bytes() == saved.path.read_bytes()


def test_a_link_is_no_checkpoint(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", 5)
    (tmp_path / elsewhere.path.name).symlink_to(elsewhere.path)
    assert saved_in(tmp_path) == []


def test_tidying_makes_the_folder_what_it_was_at_the_start(tmp_path: Path) -> None:
    """Killed as step 6 was best and half named, and step 6 is corrupt: best and last stand for the old ones again."""
    write(tmp_path, 1)
    start = write(tmp_path, 3)
    corrupt = write(tmp_path, 6)
    second_name(corrupt.path, tmp_path / BEST)
    with corrupt.path.open("ab") as file:
        file.write(b"!")
    write(tmp_path, 4, resumable=False)
    (tmp_path / ".writing.ckpt.tmp").write_bytes(b"half")
    (tmp_path / ".folder.tmp").mkdir()
    tidy(tmp_path, start, best_step=1)
    assert read(tmp_path / BEST)["global_step"] == 1
    assert read(tmp_path / LAST)["global_step"] == 3
    assert [saved.step for saved in saved_in(tmp_path)] == [3, 1]
    assert (tmp_path / f"{corrupt.path.name}.corrupt").exists()
    assert not [name for name in names(tmp_path) if name.endswith(".tmp")]


def test_tidying_before_any_checkpoint(tmp_path: Path) -> None:
    tidy(tmp_path / "none", None, best_step=None)
    write(tmp_path, 2).path.write_bytes(b"torn")
    (tmp_path / LAST).write_bytes(b"torn")
    tidy(tmp_path, None, best_step=None)
    assert [name.endswith(".corrupt") for name in names(tmp_path)] == [True]


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


def test_a_payload_is_refused_even_under_its_right_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    hostile = folder / "hostile"
    torch.save({"global_step": 1, "quatrain": Payload()}, hostile, pickle_module=pickle)
    hostile.rename(folder / f"step-00000001-{digest_of(hostile)}.ckpt")
    with pytest.raises(UserError, match="no checkpoint of tensors and plain values"):
        find_start(folder, silent)
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with pytest.raises(UserError, match="was not written by a run of quatrain"):
        find_start(tmp_path, silent)


def test_what_a_signal_raises_while_a_checkpoint_is_written_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loader that dies in that moment is not taken for a full disk, whatever was being handled before."""
    lost = RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed.")
    write_some = _Hashed.write

    def interrupted(self: _Hashed, data: object) -> int:
        if self.file.tell():
            raise lost
        return write_some(self, data)

    def save() -> None:
        WholeCheckpoints().save_checkpoint({"weights": torch.zeros(100_000)}, tmp_path / ".writing.ckpt.tmp")

    monkeypatch.setattr(_Hashed, "write", interrupted)
    with pytest.raises(RuntimeError, match="pid 4711"):
        save()
    try:
        raise KeyError("earlier")
    except KeyError:
        with pytest.raises(RuntimeError, match="pid 4711"):
            save()
    assert names(tmp_path) == []


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: _Hashed, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_Hashed, "write", full)
    with pytest.raises(NotNow, match=r"cannot be written \(No space left on device\); make room"):
        WholeCheckpoints().save_checkpoint({"weights": torch.zeros(10)}, tmp_path / ".writing.ckpt.tmp")
    assert names(tmp_path) == []
