"""The cache: built once whoever asks, published whole or not at all, mended after a kill."""

import errno
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.data import cache
from quatrain.data.cache import fingerprint, prepare_once, read_meta


def slow_build(root: Path) -> Any:
    def build(folder: Path) -> dict[str, Any]:
        with (root / "builders").open("a") as log:
            log.write(f"{os.getpid()}\n")
        (folder / "first").write_text("one")
        time.sleep(0.3)
        (folder / "second").write_text("two")
        return {"rows": 2}

    return build


def ask(root: Path, seen: Any) -> None:
    place = prepare_once("thing", "abc", slow_build(root), root=root / "cache")
    seen.put((sorted(path.name for path in place.iterdir()), read_meta(place)))


def test_processes_that_ask_at_once_build_once(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    seen = context.Queue()
    processes = [context.Process(target=ask, args=(tmp_path, seen)) for _ in range(2)]
    for process in processes:
        process.start()
    answers = [seen.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert answers == [(["first", "meta.json", "second"], {"rows": 2})] * 2
    assert len((tmp_path / "builders").read_text().split()) == 1


def die_half_way(root: Path) -> None:
    def build(folder: Path) -> dict[str, Any]:
        (folder / "first").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    prepare_once("thing", "abc", build, root=root / "cache")


def test_what_a_killed_process_left_is_not_read_but_removed(tmp_path: Path):
    process = multiprocessing.get_context("spawn").Process(target=die_half_way, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "cache/thing/abc").exists()
    assert len(list((tmp_path / "cache/thing").glob(".abc.*"))) == 1
    place = prepare_once("thing", "abc", slow_build(tmp_path), root=tmp_path / "cache")
    assert (place / "first").read_text() == "one"
    assert not list((tmp_path / "cache/thing").glob(".abc.*"))


def test_a_second_start_reads_what_is_there_unless_a_file_is_damaged(tmp_path: Path):
    made: list[int] = []

    def build(folder: Path) -> dict[str, Any]:
        made.append(1)
        (folder / "data").write_text("whole")
        return {"number": len(made)}

    place = prepare_once("thing", "abc", build, root=tmp_path)
    assert read_meta(prepare_once("thing", "abc", build, root=tmp_path)) == {"number": 1}
    (place / "data").write_text("who")
    assert read_meta(prepare_once("thing", "abc", build, root=tmp_path)) == {"number": 2}
    assert json.loads((place / "meta.json").read_text())["sizes"] == {"data": 5}


def test_an_error_leaves_nothing_and_comes_through(tmp_path: Path):
    def build(folder: Path) -> dict[str, Any]:
        (folder / "first").write_text("half")
        raise UserError("data.source=x is wrong.")

    with pytest.raises(UserError, match=r"data\.source=x is wrong"):
        prepare_once("thing", "abc", build, root=tmp_path)
    assert [path.name for path in (tmp_path / "thing").iterdir()] in ([], ["abc.lock"])


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_sentences(tmp_path: Path):
    def full(folder: Path) -> dict[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NotNow, match=r"QUATRAIN_CACHE=.* no space left"):
        prepare_once("thing", "abc", full, root=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"QUATRAIN_CACHE=.*file cannot be written"):
        prepare_once("thing", "abc", full, root=tmp_path / "file")


def test_an_error_about_another_file_stays_what_it_is(tmp_path: Path):
    def missing(folder: Path) -> dict[str, Any]:
        raise FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere")

    with pytest.raises(FileNotFoundError):
        prepare_once("thing", "abc", missing, root=tmp_path)


def test_fingerprints_tell_values_but_not_their_order():
    assert fingerprint("pairs", a=1, b="x") == fingerprint("pairs", b="x", a=1)
    assert fingerprint("pairs", a=1, b="x") != fingerprint("pairs", a=1, b="y")


@pytest.mark.parametrize(
    ("changed", "void"),
    [
        ("data/windows.py", {"streams"}),
        ("data/pair_encoding.py", {"pairs"}),
        ("data/text_rows.py", {"examples"}),
        ("data/token_streams.py", {"streams", "examples"}),
        ("tokenizers/cutting.py", {"streams", "examples", "pairs", "tokenizers"}),
        ("tokenizers", {"streams", "examples", "pairs", "tokenizers"}),
    ],
)
def test_a_change_of_code_voids_what_it_wrote_and_nothing_else(
    changed: str, void: set[str], monkeypatch: pytest.MonkeyPatch
):
    """The last case is another version of the installed library."""
    kinds = ("streams", "examples", "pairs", "tokenizers")
    cache._code.cache_clear()
    before = {kind: fingerprint(kind) for kind in kinds}
    read, version = Path.read_bytes, cache.version

    def other(path: Path) -> bytes:
        return read(path) + (b"# changed" if str(path).endswith(changed) else b"")

    monkeypatch.setattr(Path, "read_bytes", other)
    monkeypatch.setattr(cache, "version", lambda name: "0.0" if name == changed else version(name))
    cache._code.cache_clear()
    assert {kind for kind in kinds if fingerprint(kind) != before[kind]} == void
    cache._code.cache_clear()


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"\xff", b"[]", b"{}", b'{"sizes": 3}', b'{"meta": {'])
def test_a_description_that_cannot_be_read_is_made_again(tmp_path: Path, content: bytes):
    """As a power cut leaves it."""

    def build(folder: Path) -> dict[str, Any]:
        (folder / "data").write_text("whole")
        return {"number": 1}

    place = prepare_once("thing", "abc", build, root=tmp_path)
    (place / "meta.json").write_bytes(content)
    assert read_meta(prepare_once("thing", "abc", build, root=tmp_path)) == {"number": 1}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
def test_everything_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flushed: list[Path] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    def build(folder: Path) -> dict[str, Any]:
        (folder / "deep").mkdir()
        (folder / "deep/data").write_text("whole")
        return {}

    monkeypatch.setattr(os, "fsync", note)
    place = prepare_once("thing", "abc", build, root=tmp_path)
    half = [path for path in flushed if path.name.startswith(".abc.") or ".abc." in str(path.parent)]
    names = {path.relative_to(tmp_path / "thing").as_posix().partition("/")[2] for path in half}
    assert names == {"", "deep", "deep/data", "meta.json"}
    assert flushed[-1] == place.parent
