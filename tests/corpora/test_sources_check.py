"""Whatever can be wrong with a source is one sentence that names the setting, the file and the cure."""

import gzip
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.cache import cache_folder
from quatrain.corpora.file_hashes import file_sha256
from quatrain.corpora.sources import check_source, find_source, source_fingerprint
from quatrain.corpora.text import load_text

HASH = "0" * 64


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.txt").write_text("a text\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "empty.txt.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "binary.txt").write_bytes(b"ab\0cd")
    (tmp_path / "wide.txt").write_bytes("text".encode("utf-16"))
    (tmp_path / "latin.txt").write_bytes("fine\nd\u00e9j\u00e0 vu\n".encode("latin-1"))
    (tmp_path / "cut.txt").write_bytes("caf\u00e9".encode()[:-1])
    (tmp_path / "broken.txt.gz").write_bytes(b"no gzip at all")
    (tmp_path / "short.txt.gz").write_bytes(gzip.compress(b"text " * 1000)[:-20])
    (tmp_path / "no.parquet").write_bytes(b"no parquet")
    (tmp_path / "letter.doc").write_text("text")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("goood.txt", r"data.source=goood.txt does not exist; did you mean good.txt\?"),
        ("shakespere", r"data.source=shakespere does not exist; did you mean shakespeare\?"),
        ("nowhere/x", "nowhere/x does not exist; name a file, a folder, a glob, a URL, hub:NAME, or verse, shake"),
        ("*.csv", r"data.source=\*.csv matches no file"),
        ("folder", "data.source=folder is a folder without a file to read; allowed are .txt"),
        (" ", "data.source is empty; name verse"),
        ("empty.txt", "data.source=empty.txt is empty"),
        ("empty.txt.gz", "data.source=empty.txt.gz is empty"),
        ("binary.txt", "binary.txt is a binary file .a NUL at byte 2"),
        ("wide.txt", "wide.txt is UTF-16; save it as UTF-8"),
        ("latin.txt", r"latin.txt, line 2 \(byte 6\): byte 0xe9 is not UTF-8"),
        ("cut.txt", r"cut.txt, line 1 \(byte 3\): byte 0xc3 is not UTF-8"),
        ("broken.txt.gz", "broken.txt.gz is a damaged gzip file"),
        ("short.txt.gz", "short.txt.gz is a damaged gzip file"),
        ("no.parquet", "no.parquet is no parquet file"),
        ("letter.doc", "letter.doc has an ending that is not read; allowed are .txt, .jsonl"),
        ("hub:a/b/c", "hub:a/b/c names no dataset of the hub; write hub:OWNER/NAME"),
        ("x" * 300, "cannot be looked up .File name too long.; check the path"),
        ("~nobody-of-that-name/a.txt", "cannot be looked up"),
        ("ftp://example.org/a.txt", "must begin with http"),
        ("https://example.org/a.txt", "needs data.sha256=HASH"),
        ("https://example.org/a", "has an ending that is not read"),
    ],
)
def test_each_wrong_source_has_its_sentence(here, source, sentence):
    assert len(check_source(source)) in (1, 2)
    with pytest.raises(UserError, match=sentence):
        load_text(source)


@pytest.mark.usefixtures("here")
def test_right_sources_pass_and_nothing_is_fetched():
    for source in ("verse", "shakespeare", "tinyshakespeare", "good.txt", "g*.txt", "hub:someone/texts:config"):
        assert check_source(source) == []
    assert check_source("https://example.org/a.txt.gz?x=1", sha256=HASH) == []


@pytest.mark.usefixtures("here")
def test_everything_wrong_in_a_folder_is_told_at_once_with_the_name_of_the_setting():
    sentences = check_source(".", "pairs.source")
    assert len(sentences) == 9
    assert all(sentence.startswith(("pairs.source=", "pairs.source: ")) for sentence in sentences)


@pytest.mark.usefixtures("here")
def test_a_local_file_is_checked_against_its_hash():
    right = file_sha256(Path("good.txt"))
    assert find_source("good.txt", sha256=right.upper()).name == "good"
    with pytest.raises(UserError, match=f"good.txt has sha256 {right}, where data.sha256={HASH} was given"):
        find_source("good.txt", sha256=HASH)
    Path("goods.txt").write_text("another text\n")
    with pytest.raises(UserError, match=r"data\.sha256 is the hash of one file, but data.source names 2"):
        find_source("good*.txt", sha256=HASH)
    assert check_source("verse", sha256=HASH)[0].startswith("data.sha256 belongs to a URL or a file")
    assert check_source("good.txt", sha256="abc") == ["data.sha256=abc is no sha256; give 64 hexadecimal digits."]


@pytest.mark.usefixtures("here")
def test_the_fingerprint_is_of_the_content():
    first = source_fingerprint("good.txt")
    Path("copy.txt").write_text("a text\n")
    assert source_fingerprint("copy.txt") == first
    Path("copy.txt").write_text("another text\n")
    assert source_fingerprint("copy.txt") != first


def test_a_local_folder_is_never_taken_for_a_hub_name(here):
    (here / "someone").mkdir()
    (here / "someone" / "texts").mkdir()
    (here / "someone" / "texts" / "a.txt").write_text("local")
    corpus = load_text("someone/texts", validation_share=0)
    assert list(corpus.documents("train")) == ["local"]


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("QUATRAIN_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "quatrain"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "quatrain"


@pytest.mark.parametrize("pattern", ["", "/**"])
def test_a_source_that_walks_a_whole_disk_is_refused(
    pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quatrain.corpora.files.MOST_ENTRIES", 10)
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text("a line\n", encoding="utf-8")
    (sentence,) = check_source(f"{tmp_path}{pattern}")
    assert sentence.endswith("leads to more than 10 files and folders; name the folder of the corpus.")
