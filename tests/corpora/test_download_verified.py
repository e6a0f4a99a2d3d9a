"""A download is verified, kept, and never half-written; what goes wrong is one sentence."""

import errno
import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora import download as downloading
from quatrain.corpora.download import download
from quatrain.corpora.named import NAMED, NamedCorpus
from quatrain.corpora.text import load_text

CONTENT = b"I\n\nOne line.\n\nII\n\nAnother line.\n\n" * 10
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT under every path that begins with /good, and faults by name."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/missing"):
            self.send_error(404)
        elif self.path.startswith("/failing"):
            self.send_error(503)
        elif self.path.startswith("/silent"):
            self.server.release.wait(10)
        else:
            short = self.path.startswith("/short")
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:50] if short else CONTENT)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    held = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.asked, held.release = [], threading.Event()
    held.url = f"http://127.0.0.1:{held.server_port}"
    thread = threading.Thread(target=held.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield held
    held.release.set()
    held.shutdown()
    thread.join()
    held.server_close()


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_kept_under_its_hash(server, tmp_path):
    first = download(f"{server.url}/good.txt", SHA256, suffix=".txt")
    assert first.read_bytes() == CONTENT
    assert download(f"{server.url}/good.txt", SHA256.upper(), suffix=".txt") == first
    assert server.asked == ["/good.txt"]
    assert kept(tmp_path) == [f"{SHA256}.txt"]


def test_a_damaged_copy_in_the_cache_is_fetched_again(server):
    copy = download(f"{server.url}/good.txt", SHA256)
    copy.write_bytes(b"damaged")
    assert download(f"{server.url}/good.txt", SHA256).read_bytes() == CONTENT


def test_another_hash_is_told_with_both_and_nothing_is_kept(server, tmp_path):
    wrong = "1" * 64
    with pytest.raises(UserError, match=f"has sha256 {SHA256}, where {wrong} was expected"):
        download(f"{server.url}/good.txt", wrong)
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [
        ("/missing.txt", UserError, r"missing.txt is not there \(HTTP 404 Not Found\); check the address"),
        ("/failing.txt", NotNow, r"not served at the moment \(HTTP 503"),
        ("/short.txt", NotNow, "broke off"),
        ("/silent.txt", NotNow, r"cannot be reached \(timed out\)"),
    ],
)
def test_a_failing_server_is_told_and_nothing_is_kept(server, tmp_path, monkeypatch, path, kind, sentence):
    monkeypatch.setattr(downloading, "TIMEOUT", 0.2)
    with pytest.raises(UserError, match=sentence) as error:
        download(server.url + path, SHA256)
    assert type(error.value) is kind
    assert kept(tmp_path) == []


def test_an_unreachable_server_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.txt"
    with pytest.raises(NotNow, match=r"cannot be reached \(Connection refused\); .* name a local copy instead"):
        download(url, SHA256)
    assert kept(tmp_path) == []


def test_a_full_disk_is_told_and_nothing_is_kept(server, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloading, "_fetch", fail)
    with pytest.raises(NotNow, match=r"no space is left in .*QUATRAIN_CACHE"):
        download(f"{server.url}/good.txt", SHA256)
    assert kept(tmp_path) == []


def test_a_cache_that_cannot_be_made_is_told(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot be kept in .* set QUATRAIN_CACHE"):
        download(f"{server.url}/good.txt", SHA256)


def test_a_named_corpus_comes_from_its_pinned_path_at_the_mirror(server, monkeypatch):
    monkeypatch.setenv("QUATRAIN_MIRROR", server.url + "/")
    path = NAMED["shakespeare"].path
    assert NAMED["shakespeare"].url == server.url + path
    monkeypatch.setitem(NAMED, "shakespeare", NamedCorpus(path, SHA256))
    corpus = load_text("shakespeare", documents="sonnets", validation_share=0)
    assert (corpus.name, corpus.count("train")) == ("shakespeare", 20)
    assert server.asked == [path]


def test_a_url_is_read_by_its_ending_and_named_after_its_file(server):
    corpus = load_text(
        f"{server.url}/good/verses.txt?raw=1", sha256=SHA256, documents="paragraphs", validation_share=0.0
    )
    assert (corpus.name, corpus.count("train")) == ("verses", 40)


def test_the_pinned_addresses_name_a_commit():
    for named in NAMED.values():
        assert any(len(part) == 40 for part in named.path.split("/"))
        assert len(named.sha256) == 64
        assert named.url.startswith("https://")
