"""Proves that files of data stay within their folder and stated limits, and that a bomb is stopped where it shows."""

import gzip
import json
import math
from collections.abc import Iterable
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.corpora.file_contents import byte_lines, text_blocks
from quatrain.corpora.pairs import load_pairs
from quatrain.corpora.sources import check_source, find_source
from quatrain.corpora.text import load_text

ROW = {"sentence1": "the sea sings", "sentence2": "the sea is still", "label": 0}


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules with numbers that a test reaches in a moment."""
    monkeypatch.setattr(bounds, "FREE_SIZE", 100_000)
    monkeypatch.setattr(bounds, "LONGEST_LINE", 50_000)


def bomb(path: Path, line: bytes = b"", size: int = 2_000_000) -> Path:
    """A gzip file of ``size`` bytes of ``line`` again and again, or of zeros, in some 2 KB."""
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write((line or b"a") * (size // len(line or b"a")))
    return path


def read(source: Path | str) -> Iterable[str]:
    return ["".join(raw.blocks) for raw in find_source(str(source)).texts()]


def said(error: pytest.ExceptionInfo[UserError], *parts: str) -> None:
    assert len(error.value.sentences) == 1
    for part in parts:
        assert part in str(error.value)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(
    ("name", "line"),
    [("a.txt.gz", b""), ("a.txt.gz", b"sea\n"), ("a.jsonl.gz", b'{"text": "a"}\n'), ("a.csv.gz", b"text\n")],
)
def test_a_gzip_bomb_is_stopped(name: str, line: bytes, tmp_path: Path) -> None:
    file = bomb(tmp_path / name, line)
    assert file.stat().st_size * bounds.HIGHEST_RATIO < 2_000_000, "the bomb is a real one"
    with pytest.raises(UserError) as caught:
        read(file)
    said(caught, str(file), "KB and unpacks to more than", "at most 500 times", "gunzip")


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_is_read_no_further_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was unpacked when it stopped is the limit and one block, not the whole."""
    file = bomb(tmp_path / "a.jsonl.gz", b'{"text": "a"}\n')
    taken = []
    original = gzip.GzipFile.readline
    monkeypatch.setattr(gzip.GzipFile, "readline", lambda self, size=-1: taken.append(1) or original(self, size))
    with pytest.raises(UserError):
        list(byte_lines(file))
    assert 14 * len(taken) <= bounds.unpacked_bound(file) + 14


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_as_parquet_and_as_pairs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unpacks to more than"):
        read(bomb(tmp_path / "a.parquet.gz", b"PAR1"))
    with pytest.raises(UserError, match="unpacks to more than"):
        load_pairs(
            str(bomb(tmp_path / "b.jsonl.gz", b'{"a": "' + b"b" * 9000 + b'", "label": 0}\n')), text_columns=["a"]
        )


@pytest.mark.usefixtures("small_limits")
def test_honest_compressed_text_passes(tmp_path: Path) -> None:
    """Repetitive text of a ratio of some 300, beyond the free size, and a plain file of any size."""
    line = "".join(f"{number} the tall ship sails on the sea\n" for number in range(10)).encode()
    file = bomb(tmp_path / "a.txt.gz", line, 10_000_000)
    ratio = 10_000_000 / file.stat().st_size
    assert 200 < ratio < bounds.HIGHEST_RATIO
    assert sum(map(len, read(file))) > 9_000_000
    assert bounds.unpacked_bound(tmp_path / "a.txt") == math.inf


@pytest.mark.usefixtures("small_limits")
def test_lines_that_are_too_long(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "short"}\n' + json.dumps({"text": "long " * 20_000}))
    with pytest.raises(UserError, match=r"a.jsonl, line 2 is longer than 50 KB"):
        read(tmp_path / "a.jsonl")
    (tmp_path / "b.txt").write_text("short\n" + "a" * 60_000)
    with pytest.raises(UserError, match=r"b.txt, line 2 is longer than 50 KB"):
        list(text_blocks(tmp_path / "b.txt", block=1000))


def test_a_long_line_of_words_may_be_read_but_is_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LONGEST_LINE", 2_000_000)
    (tmp_path / "c.txt").write_text("short\n" + "some words " * 300_000)
    assert sum(map(len, text_blocks(tmp_path / "c.txt"))) == 3_300_006
    with pytest.raises(UserError, match=r"c.txt, line 2 is longer than 2 MB"):
        list(load_text(str(tmp_path / "c.txt"), documents="lines").stream())


def test_json_that_is_too_deep(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": ' + "[" * 200_000)
    with pytest.raises(UserError, match=r"line 1 is no JSON"):
        read(tmp_path / "a.jsonl")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A file outside of every folder of data, of the right form to be read."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "private.jsonl").write_text(json.dumps({"text": "private", **ROW}) + "\n")
    return tmp_path / "home" / "private.jsonl"


def test_a_link_in_a_folder_of_text(private: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.jsonl").symlink_to(private)
    assert json.loads((folder / "train.jsonl").read_text())["text"] == "private", "the link would be followed"
    for source in (folder, f"{folder}/*.jsonl", f"{tmp_path}/d*/train.jsonl"):
        if "d*" in str(source):
            (tmp_path / "home").rename(tmp_path.parent / "elsewhere")
            (folder / "train.jsonl").unlink()
            (folder / "train.jsonl").symlink_to(tmp_path.parent / "elsewhere" / "private.jsonl")
        assert "leads out of" in check_source(str(source))[0]
        with pytest.raises(UserError, match="leads out of"):
            read(source)


@pytest.mark.parametrize(
    "names",
    [
        ("train.jsonl", "validation.jsonl"),
        ("msr_paraphrase_train.txt",),
        ("train.jsonl", "validation.jsonl", "report.json"),
    ],
)
def test_a_link_in_a_folder_of_pairs(names: tuple[str, ...], private: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(json.dumps(ROW) + "\n")
    (folder / names[-1]).unlink()
    (folder / names[-1]).symlink_to(private)
    with pytest.raises(UserError, match="leads out of"):
        load_pairs(str(folder), text_columns=["sentence1", "sentence2"])


def test_a_link_that_the_user_names_is_followed(private: Path, tmp_path: Path) -> None:
    """The user may name any place: a link to a file, or to a folder; and a link within a folder stays within."""
    (tmp_path / "link.jsonl").symlink_to(private)
    (tmp_path / "linked").symlink_to(private.parent)
    (private.parent / "again.jsonl").symlink_to("private.jsonl")
    assert read(tmp_path / "link.jsonl") == ["private"]
    assert read(tmp_path / "linked") == ["private", "private"]


def test_links_in_a_circle_and_pipes_are_not_read(tmp_path: Path) -> None:
    import os

    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").symlink_to("b.txt")
    (folder / "b.txt").symlink_to("a.txt")
    os.mkfifo(folder / "c.txt")
    assert "without a file to read" in check_source(str(folder))[0]


@pytest.mark.parametrize(
    "content", ["[]", "{", "[" * 100_000, '{"label_names": 5, "text_columns": [1], "fingerprint": 1}']
)
def test_a_report_of_wrong_form_is_none(content: str, tmp_path: Path) -> None:
    from quatrain.corpora.pair_folder import processing_report

    (tmp_path / "report.json").write_text(content)
    assert processing_report(tmp_path) is None
