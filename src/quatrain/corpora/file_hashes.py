"""The sha256 of a file's bytes, and a record of it in the cache, so that a large file is not read again for it.

A record is believed while the file has the place, size, number and times that it had when it was read, and had not
been changed shortly before: within the tick of a file system's clock a second change would leave the times as they are.
Times include that of the last change of the file's entry, which no program sets.
"""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import write_whole
from quatrain.core.errors import UserError
from quatrain.corpora.cache import cache_folder

LEAST = 8 << 20
"""Bytes of a file that is worth a record; a smaller one is read in ten milliseconds."""

SETTLED = 3.0
"""Seconds that a file must have been left alone before it was read; the coarsest clocks tick every two."""


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes as 64 hexadecimal digits, from the record where that can be believed.

    Several processes that ask for the same file at once read it once, if it was left alone for `SETTLED`.
    """
    if path.stat().st_size < LEAST:
        return _read(path)
    record = cache_folder() / "hashes" / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()}.json"
    if known := _recorded(record, path):
        return known
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock

        with FileLock(record.with_suffix(".lock")):
            return _recorded(record, path) or _read_and_record(record, path)
    except OSError:  # a cache that cannot be written; the file's own faults come out again
        return _read(path)


def _read(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _recorded(record: Path, path: Path) -> str | None:
    with suppress(OSError, ValueError, LookupError, TypeError):
        held = json.loads(record.read_text("utf-8"))
        found = held["file"]
        changed = max(found["changed"], found["entry_changed"])
        if found == _look(path) and 0 < changed < held["read"] - SETTLED * 1e9:
            return str(held["sha256"])
    return None


def _read_and_record(record: Path, path: Path) -> str:
    begun, before = time.time_ns(), _look(path)
    found = _read(path)
    if _look(path) == before:
        with suppress(OSError, UserError):
            write_whole(record, json.dumps({"file": before, "read": begun, "sha256": found}))
    return found


def _look(path: Path) -> dict[str, Any]:
    """What changes with a file, without reading it."""
    found = path.stat()
    return {
        "path": str(path.absolute()),
        "size": found.st_size,
        "changed": found.st_mtime_ns,
        "entry_changed": found.st_ctime_ns,
        "number": found.st_ino,
        "device": found.st_dev,
    }
