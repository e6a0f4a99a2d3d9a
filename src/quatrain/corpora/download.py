"""Fetching a file by URL: verified by its sha256, kept in the cache, never half-written."""

import errno
import hashlib
import http.client
import os
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.cache import CACHE_VARIABLE, cache_folder
from quatrain.corpora.file_hashes import file_sha256

TIMEOUT = 5.0
"""Seconds that a server may stay silent, when connecting and while it sends."""

_CHUNK = 1 << 20


def download(url: str, sha256: str, *, suffix: str = "", key: str = "data.source", name: str | None = None) -> Path:
    """Return the cached copy of what lies at ``url``, fetching it where there is none.

    The copy is named by its ``sha256`` and ``suffix`` and appears under that name only when it is complete and its hash
    is right, so several processes may fetch it at once. ``key`` names the setting in the sentences, ``name`` its value
    where that is not the address itself.

    Raises:
        NotNow: the server cannot be reached, fails or breaks off, or the disk is full.
        UserError: the server has no such file, or the file has another sha256.
    """
    expected = sha256.lower()
    asked = f"{key}={url}" if name is None else f"{key}={name} ({url})"
    target = cache_folder() / "downloads" / f"{expected}{suffix}"
    if target.is_file() and file_sha256(target) == expected:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial_name = tempfile.mkstemp(dir=target.parent, prefix=f".{expected[:12]}-", suffix=".partial")
    except OSError as error:
        raise _disk_error(error, target.parent, asked) from error
    partial = Path(partial_name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            found = _fetch(url, out, asked)
        if found != expected:
            raise UserError(
                f"{asked} was fetched but has sha256 {found}, where {expected} was expected; "
                "check the address and data.sha256, or name a local copy."
            )
        partial.replace(target)
    except OSError as error:
        raise _disk_error(error, target.parent, asked) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _fetch(url: str, out: IO[bytes], asked: str) -> str:
    """Write what the server sends to ``out``; return its sha256. Errors of ``out`` come through as OSError."""
    digest, received = hashlib.sha256(), 0
    with _open(url, asked) as response:
        while chunk := _receive(response, asked):
            digest.update(chunk)
            received += len(chunk)
            out.write(chunk)
        promised = response.headers.get("Content-Length", "")
    if promised.isdigit() and received < int(promised):
        raise NotNow(f"{asked} broke off after {received} of {promised} bytes; try again.")
    return digest.hexdigest()


def _open(url: str, asked: str) -> http.client.HTTPResponse:
    # In a thread, because looking up an address takes no heed of a time-out.
    answers: SimpleQueue[http.client.HTTPResponse | Exception] = SimpleQueue()
    threading.Thread(target=_ask, args=(url, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=1.2 * TIMEOUT)
    except Empty:
        answer = TimeoutError("timed out")
    if isinstance(answer, urllib.error.HTTPError):
        with answer:
            raise _refused(asked, answer) from answer
    if isinstance(answer, Exception):
        raise _unreachable(asked, answer) from answer
    return answer


def _ask(url: str, answers: "SimpleQueue[http.client.HTTPResponse | Exception]") -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "quatrain"})
    try:
        answers.put(urllib.request.urlopen(request, timeout=TIMEOUT))
    except (OSError, http.client.HTTPException, ValueError) as error:
        answers.put(error)


def _receive(response: http.client.HTTPResponse, asked: str) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise NotNow(f"{asked} broke off ({_reason(error)}); try again.") from error


def _refused(asked: str, error: urllib.error.HTTPError) -> UserError:
    if error.code >= 500 or error.code == 429:
        return NotNow(f"{asked} is not served at the moment (HTTP {error.code} {error.reason}); try again later.")
    return UserError(f"{asked} is not there (HTTP {error.code} {error.reason}); check the address.")


def _unreachable(asked: str, error: Exception) -> NotNow:
    return NotNow(f"{asked} cannot be reached ({_reason(error)}); check the network, or name a local copy instead.")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _disk_error(error: OSError, folder: Path, asked: str) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotNow(
            f"{asked} does not fit: no space is left in {folder}; free some, or set {CACHE_VARIABLE} to "
            "a folder on another disk."
        )
    return UserError(
        f"{asked} cannot be kept in {folder} ({error.strerror or error}); set {CACHE_VARIABLE} to a folder "
        "that can be written."
    )
