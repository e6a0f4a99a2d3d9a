"""Proves that a file is replaced whole or left as it was, with nothing beside it."""

import errno
from pathlib import Path

import pytest

from quatrain.core.atomic_files import replaced_whole, temporary_sibling, write_whole
from quatrain.core.errors import NotNow


def test_the_old_content_stands_until_the_end(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_whole(file, "old")
    with replaced_whole(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_whole(file, "old")

    def fail() -> None:
        with replaced_whole(file) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with pytest.raises(NotNow, match=r"a\.txt cannot be written \(No space left on device\)"), replaced_whole(file):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotNow, match="cannot be written"):
        write_whole(tmp_path / "no" / "a.txt", "x")


def test_temporary_names_never_meet(tmp_path: Path) -> None:
    assert len({temporary_sibling(tmp_path / "a") for _ in range(100)}) == 100
