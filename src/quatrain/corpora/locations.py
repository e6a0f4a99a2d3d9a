"""What is wrong with where a setting points, told before anything is read: names that cannot be looked up, addresses,
hashes. The same for text and for pairs."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from quatrain.core.errors import UserError
from quatrain.corpora.download import download
from quatrain.corpora.file_hashes import file_sha256
from quatrain.corpora.files import suffix_of
from quatrain.corpora.hub import HUB, hub_source, is_hub_name

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@contextmanager
def looked_up(source: str, key: str) -> Iterator[None]:
    """Turn what the file system says to a name itself (too long, closed, ``~`` of nobody) into a sentence.

    Raises:
        UserError: the name cannot be looked up.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{key}={source!s:.200} cannot be looked up ({reason}); check the path.") from error


def is_url(source: str) -> bool:
    """Whether ``source`` has the form of an address."""
    return "://" in source


def hash_key(key: str) -> str:
    """The setting of the hash that belongs to the source at ``key``: ``data.sha256`` beside ``data.source``."""
    return f"{key.rpartition('.')[0]}.sha256".lstrip(".")


def check_hash_form(source: str, key: str, sha256: str | None, made: Sequence[str]) -> list[str]:
    """What is wrong with a given hash by itself: its form, or that it stands beside the hub or one of ``made``."""
    if sha256 is None:
        return []
    if not _SHA256.fullmatch(sha256):
        return [f"{hash_key(key)}={sha256} is no sha256; give 64 hexadecimal digits."]
    if source in made or source.startswith(HUB):
        return [f"{hash_key(key)} belongs to a URL or a file, and {key}={source} is neither; leave it out."]
    return []


def check_url(source: str, key: str, sha256: str | None, suffixes: Sequence[str]) -> list[str]:
    """What is wrong with an address: its scheme, an ending that is none of ``suffixes``, or that it has no hash."""
    with looked_up(source, key):
        parts = urlsplit(source)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return [f"{key}={source} is no address that can be fetched; it must begin with http:// or https://."]
    wrong = []
    if suffix_of(parts.path) not in suffixes:
        wrong.append(f"{key}={source} has an ending that is not read; allowed are {', '.join(suffixes)}.")
    if sha256 is None:
        wrong.append(
            f"{key}={source} needs {hash_key(key)}=HASH, the sha256 of the file, so that runs can be repeated."
        )
    return wrong


def check_hub_name(source: str, key: str) -> list[str]:
    """What is wrong with the form of a ``hub:`` source."""
    if is_hub_name(hub_source(source)[0]):
        return []
    return [f"{key}={source} names no dataset of the hub; write hub:OWNER/NAME, or hub:OWNER/NAME:CONFIG."]


def fetch(source: str, sha256: str | None, key: str) -> tuple[Path, str]:
    """The downloaded file of an address, and the name it has there.

    Raises:
        UserError: as `download`.
    """
    path = urlsplit(source).path
    return download(source, str(sha256), suffix=suffix_of(path) or "", key=key), path


def check_hash(files: Sequence[Path], sha256: str | None, key: str) -> None:
    """Make sure that a given hash is that of the one file.

    Raises:
        UserError: it is not, or there are several files.
    """
    if sha256 is None:
        return
    if len(files) != 1:
        raise UserError(f"{hash_key(key)} is the hash of one file, but {key} names {len(files)}; leave it out.")
    found = file_sha256(files[0])
    if found != sha256.lower():
        raise UserError(
            f"{key}={files[0]} has sha256 {found}, where {hash_key(key)}={sha256} was given; "
            "correct the hash or name the file that it belongs to."
        )


def stem_of(source: str) -> str:
    """A short name for what ``source`` names: its last part, without the ending."""
    name = Path(source.rstrip("/")).name
    return re.sub(r"[^\w.-]+", "", name.removesuffix(suffix_of(name) or "")) or "text"
