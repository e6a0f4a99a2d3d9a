"""The record of a file's sha256 saves reading it again, and is not believed once the file may have changed."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from quatrain.corpora import file_hashes
from quatrain.corpora.file_hashes import SETTLED, file_sha256
from quatrain.corpora.text import load_text


@pytest.fixture(autouse=True)
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read for their hash; every size is worth a record."""
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(file_hashes, "LEAST", 0)
    read: list[Path] = []
    real = file_hashes._read
    monkeypatch.setattr(file_hashes, "_read", lambda path: (read.append(path), real(path))[1])
    return read


def settled(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass since the file was written."""
    now = time.time_ns
    monkeypatch.setattr(file_hashes.time, "time_ns", lambda: now() + int((SETTLED + 1) * 1e9))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_that_was_left_alone_is_read_once(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"one")
    settled(file, monkeypatch)
    assert [file_sha256(file) for _ in range(3)] == [sha256(b"one")] * 3
    assert reads == [file]


def test_a_file_that_was_just_written_is_not_believed(tmp_path: Path, reads: list[Path]) -> None:
    """Its times could stay as they are while it is written again within the tick of the clock."""
    file = tmp_path / "text.txt"
    file.write_bytes(b"one")
    times = file.stat().st_mtime_ns
    assert file_sha256(file) == sha256(b"one")
    file.write_bytes(b"two")
    os.utime(file, ns=(times, times))
    assert file_sha256(file) == sha256(b"two")
    assert len(reads) == 2


@pytest.mark.parametrize("how", ["written", "times set back", "replaced", "longer"])
def test_a_file_that_changed_is_read_again(
    how: str, tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"one")
    settled(file, monkeypatch)
    file_sha256(file)
    times = file.stat().st_mtime_ns
    other = tmp_path / "other.txt" if how == "replaced" else file
    content = b"longer" if how == "longer" else b"two"
    time.sleep(0.02)
    other.write_bytes(content)
    if how != "written":
        os.utime(other, ns=(times, times))
    other.replace(file)
    assert file_sha256(file) == sha256(content)
    assert len(reads) == 2


@pytest.mark.parametrize("content", [b"", b"\0\0", b"[]", b'{"file": 3}', b'{"file": {"changed": 1}}'])
def test_a_torn_record_is_made_again(
    content: bytes, tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"one")
    settled(file, monkeypatch)
    file_sha256(file)
    (record,) = (tmp_path / "cache/hashes").glob("*.json")
    record.write_bytes(content)
    assert [file_sha256(file), file_sha256(file)] == [sha256(b"one")] * 2
    assert len(reads) == 2


def test_a_cache_that_cannot_be_written_only_costs_the_reading(tmp_path: Path, reads: list[Path]) -> None:
    (tmp_path / "cache").write_text("a file")
    (tmp_path / "text.txt").write_bytes(b"one")
    assert file_sha256(tmp_path / "text.txt") == sha256(b"one")
    with pytest.raises(FileNotFoundError):
        file_sha256(tmp_path / "missing.txt")


def test_the_fingerprint_of_a_corpus_is_of_its_content_and_not_of_records(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "text.txt").write_bytes(b"one\ntwo\n" * 9)
    settled(tmp_path, monkeypatch)
    found = {load_text(str(tmp_path / name / "text.txt")).fingerprint for name in ("first", "second", "first")}
    assert len(found) == 1
    assert len(reads) == 2
