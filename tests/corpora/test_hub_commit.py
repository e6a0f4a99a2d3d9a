"""Naming a commit: one question to the hub, a short wait, the local cache when offline, a sentence for each refusal."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora import hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(HTTPServer):
    """Answers every question with ``status``, ``headers`` and ``body``, and remembers the paths."""

    status, headers, body = 200, {}, f'{{"id": "some/name", "sha": "{COMMIT}"}}'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no switch set to offline."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    # Else the library asks for, and keeps in the home folder, a list of its own the first time.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def remember(cache: Path, folder: str, commit: str = COMMIT, reference: str = "main") -> None:
    (cache / folder / "refs").mkdir(parents=True)
    (cache / folder / "refs" / reference).write_text(commit)
    (cache / folder / "snapshots" / commit).mkdir(parents=True)


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased", "nyu-mll/glue", "a.b/c_d-1"])
def test_hub_names(name: str) -> None:
    assert hub.is_hub_name(name)


@pytest.mark.parametrize(
    "name", ["", "/gpt2", "./gpt2", "../gpt2", "~/gpt2", "a/b/c", "a b", "a--b", "a..b", "a/", "name.git", "é", "a\nb"]
)
def test_what_is_no_hub_name(name: str) -> None:
    assert not hub.is_hub_name(name)
    with pytest.raises(UserError, match="is no name of the hub"):
        hub.resolve_commit(name, "model", None, "model.weights")


def test_the_commit_is_asked_for_once(server: Hub) -> None:
    assert hub.resolve_commit("some/name", "dataset", "v1", "data.source") == COMMIT
    assert hub.resolve_commit("name", "model", None, "model.weights") == COMMIT
    assert server.asked == ["/api/datasets/some/name/revision/v1", "/api/models/name"]


@pytest.mark.parametrize(
    ("status", "headers", "kind", "words"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, UserError, ["the hub knows no model some/name", "model.weights=DIR"]),
        (401, {}, UserError, ["the hub knows no model some/name", "HF_TOKEN"]),
        (404, {"X-Error-Code": "RevisionNotFound"}, UserError, ["no branch, tag or commit v9", "model.revision"]),
        (403, {"X-Error-Code": "GatedRepo"}, UserError, ["may not be read", "HF_TOKEN"]),
        (503, {}, NotNow, ["HTTP status 503", "try again"]),
    ],
)
def test_each_refusal_has_its_sentence(
    server: Hub, status: int, headers: dict[str, str], kind: type[UserError], words: list[str]
) -> None:
    server.status, server.headers = status, headers
    with pytest.raises(UserError) as caught:
        hub.resolve_commit("some/name", "model", "v9", "model.weights")
    assert type(caught.value) is kind
    assert len(caught.value.sentences) == 1
    assert caught.value.sentences[0].startswith("model.weights=some/name (model.revision=v9)")
    assert all(word in str(caught.value) for word in words)
    assert len(server.asked) == 1  # no second attempt


def test_a_hub_that_refuses_connections_is_told_at_once(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(NotNow, match=r"model\.weights=gpt2 cannot be fetched: the hub does not answer") as caught:
            hub.resolve_commit("gpt2", "model", None, "model.weights")
        assert time.monotonic() - start < hub.TIMEOUT
        assert "name a local folder with model.weights=DIR" in str(caught.value)
        assert "HF_HUB_OFFLINE" not in str(caught.value)
        remember(cache, "models--gpt2")
        with pytest.raises(NotNow, match="set HF_HUB_OFFLINE=1 to take the copy"):
            hub.resolve_commit("gpt2", "model", None, "model.weights")


def test_a_hub_that_never_answers_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TIMEOUT", 0.8)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(NotNow, match=r"data\.source=hub:nyu-mll/glue cannot be fetched"):
            hub.resolve_commit("nyu-mll/glue", "dataset", None, "data.source")
        assert time.monotonic() - start < 2


def test_looking_up_an_address_cannot_outlast_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TIMEOUT", 0.6)
    released = threading.Event()

    def slow_lookup(*args: object, **kwargs: object) -> None:
        released.wait(10)
        raise OSError("no such address")

    monkeypatch.setattr(socket, "getaddrinfo", slow_lookup)
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    start = time.monotonic()
    with pytest.raises(NotNow, match=r"no answer in 0\.6 s"):
        hub.resolve_commit("gpt2", "model", None, "model.weights")
    assert time.monotonic() - start < 2
    released.set()


def test_offline_the_local_cache_answers(monkeypatch: pytest.MonkeyPatch, cache: Path, server: Hub) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    remember(cache, "datasets--nyu-mll--glue", reference="v1")
    assert hub.resolve_commit("nyu-mll/glue", "dataset", "v1", "data.source") == COMMIT
    assert hub.resolve_commit("nyu-mll/glue", "dataset", COMMIT, "data.source") == COMMIT
    with pytest.raises(UserError, match="HF_HUB_OFFLINE forbids asking"):
        hub.resolve_commit("nyu-mll/glue", "dataset", None, "data.source")
    assert server.asked == []


def test_a_commit_that_is_here_needs_no_hub(cache: Path, server: Hub) -> None:
    remember(cache, "models--gpt2")
    assert hub.resolve_commit("gpt2", "model", COMMIT, "model.weights") == COMMIT
    assert server.asked == []
    hub.resolve_commit("gpt2", "model", None, "model.weights")  # a branch may have moved, so it is asked for
    assert len(server.asked) == 1


def test_a_reference_without_its_files_or_that_is_none_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "yes")
    remember(cache, "models--gpt2", commit="notacommit")
    (cache / "models--bert" / "refs").mkdir(parents=True)
    (cache / "models--bert" / "refs" / "main").write_text(COMMIT)
    for name in ("gpt2", "bert"):
        with pytest.raises(UserError, match="not in the local hub cache"):
            hub.resolve_commit(name, "model", None, "model.weights")


def test_importing_loads_nothing_of_the_hub() -> None:
    check = "import sys, quatrain.corpora.hub; sys.exit('huggingface_hub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("hub:some/name", ("some/name", None)),
        ("hub:some/name:small", ("some/name", "small")),
        ("hub:name:", ("name", None)),
        ("some/name:small", ("some/name", "small")),
    ],
)
def test_a_source_of_the_hub_is_a_name_and_may_be_a_config(text: str, parsed: tuple[str, str | None]) -> None:
    assert hub.hub_source(text) == parsed
