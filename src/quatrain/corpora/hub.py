"""Naming a commit of the Hugging Face hub before anything is downloaded from it.

One question with a short time-out: an unreachable hub is told in one sentence within seconds, where a download would
retry each file for far longer. Importing this module imports nothing of the hub's.
"""

import os
import re
import threading
from pathlib import Path
from typing import Any, Literal

from quatrain.core.errors import NotNow, UserError

Kind = Literal["model", "dataset"]

HUB = "hub:"
"""How a source begins that names a dataset of the hub."""

TIMEOUT = 5.0
"""Seconds for the hub's answer, the lookup of its address included."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TRUE = {"1", "ON", "YES", "TRUE"}  # as huggingface_hub reads its switches


def is_hub_name(text: str) -> bool:
    """Whether ``text`` has the form of a hub name, ``NAME`` or ``OWNER/NAME``.

    Form only: whether a folder of that name lies here, or the hub knows it, is not asked. A path that starts with
    ``/``, ``./``, ``../`` or ``~``, or has more than one ``/``, is none.
    """
    return (
        bool(_NAME.fullmatch(text)) and ".." not in text and "--" not in text and not text.endswith((".", "-", ".git"))
    )


def hub_source(text: str) -> tuple[str, str | None]:
    """The name and the config (or None) of ``hub:OWNER/NAME`` or ``hub:OWNER/NAME:CONFIG``; the form is not checked."""
    name, _, config = text.removeprefix(HUB).partition(":")
    return name, config or None


def resolve_commit(name: str, kind: Kind, revision: str | None, key: str) -> str:
    """Return the commit (40 hexadecimal digits) that ``revision``, or the main branch, of ``name`` stands for now.

    The hub is asked once, for at most `TIMEOUT` seconds. A revision that is a commit in the local hub cache, and
    anything while ``HF_HUB_OFFLINE=1``, is answered from that cache without asking. ``key`` is where the user named it,
    such as ``model.weights``; its neighbour ``revision`` is where the revision stands.

    Raises:
        NotNow: the hub does not answer, or answers that it cannot.
        UserError: no such name or revision, no permission, or (offline) not in the local cache.
    """
    place = _Place(name, kind, revision, key)
    if not is_hub_name(name):
        raise UserError(f"{place} is no name of the hub; write OWNER/NAME, or name {place.local}.")
    cached = _cached_commit(place)
    if cached is not None and _COMMIT.fullmatch(revision or ""):
        return cached
    if _offline():
        if cached is None:
            raise UserError(
                f"{place} is not in the local hub cache, and HF_HUB_OFFLINE forbids asking the hub;"
                f" unset it, or name {place.local}."
            )
        return cached
    return _ask(place, cached)


class _Place:
    """What the user asked for, and how the sentences call it."""

    def __init__(self, name: str, kind: Kind, revision: str | None, key: str) -> None:
        self.name, self.kind, self.revision = name, kind, revision
        self.revision_key = f"{key.rpartition('.')[0]}.revision".removeprefix(".")
        self.written = f"{key}={'hub:' if kind == 'dataset' else ''}{name}"
        self.local = f"local files with {key}=PATH" if kind == "dataset" else f"a local folder with {key}=DIR"

    def __str__(self) -> str:
        return self.written + (f" ({self.revision_key}={self.revision})" if self.revision else "")


def _ask(place: _Place, cached: str | None) -> str:
    """The hub's answer. Asked in a thread, because looking up an address takes no heed of a time-out."""
    answer: dict[str, Any] = {}

    def ask() -> None:
        try:
            from huggingface_hub import HfApi

            api = HfApi()
            answer["info"] = api.repo_info(
                place.name, repo_type=place.kind, revision=place.revision, timeout=TIMEOUT - 0.5
            )
        except Exception as error:  # handed over to the asking thread
            answer["error"] = error

    thread = threading.Thread(target=ask, name="quatrain-hub", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    if "error" in answer:
        raise _sentence(place, answer["error"], cached) from answer["error"]
    if "info" not in answer:
        raise _unreachable(place, f"no answer in {TIMEOUT:g} s", cached)
    return str(answer["info"].sha)


def _sentence(place: _Place, error: Exception, cached: str | None) -> UserError:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if isinstance(error, RevisionNotFoundError):
        return UserError(
            f"{place}: the hub has {place.name} but no branch, tag or commit {place.revision};"
            f" mend {place.revision_key}, or leave it null for the main branch."
        )
    if isinstance(error, GatedRepoError) or status == 403:
        return UserError(
            f"{place} may not be read with the account in use; ask for access on its page at the hub and log in"
            f" (HF_TOKEN), or name {place.local}."
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        return UserError(
            f"{place}: the hub knows no {place.kind} {place.name}, or it is private and HF_TOKEN gives no access;"
            f" check the spelling, or name {place.local}."
        )
    if status is not None:
        return _unreachable(place, f"it answers with HTTP status {status}", cached)
    return _unreachable(place, " ".join(str(error).split()) or type(error).__name__, cached)


def _unreachable(place: _Place, why: str, cached: str | None) -> NotNow:
    known = ", set HF_HUB_OFFLINE=1 to take the copy in the local hub cache" if cached else ""
    return NotNow(
        f"{place} cannot be fetched: the hub does not answer ({why.rstrip('.')}); name {place.local}{known},"
        " or try again with a network."
    )


def _cached_commit(place: _Place) -> str | None:
    """The commit that the local hub cache holds for the revision, if any of its files lies there."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"{place.kind}s--{place.name.replace('/', '--')}"
    revision = place.revision or constants.DEFAULT_REVISION
    reference = folder / "refs" / revision
    if _COMMIT.fullmatch(revision):
        commit = revision
    elif reference.is_file():
        commit = reference.read_text(encoding="utf-8", errors="replace").strip()
    else:
        return None
    return commit if _COMMIT.fullmatch(commit) and (folder / "snapshots" / commit).is_dir() else None


def _offline() -> bool:
    """Both as the variable stands now and as the hub's library read it when it was imported."""
    from huggingface_hub import constants

    named = (os.environ.get(name, "").upper() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any(value in _TRUE for value in named) or constants.is_offline_mode()
