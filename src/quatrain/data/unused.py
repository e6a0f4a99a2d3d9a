"""Prepared data in the cache that no run has asked for lately; it is made again when one does."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from quatrain.core.errors import NotNow
from quatrain.data.cache import KINDS, META


class Unused(NamedTuple):
    """A folder of prepared data, of which ``kind``, and when it was asked for last, as seconds since 1970."""

    place: Path
    kind: str
    used: float


def unused(root: Path, before: float) -> Iterator[Unused]:
    """Yield what was prepared in the cache folder ``root`` and not asked for since the moment ``before``.

    What was downloaded, and what was never finished, is not among it: the former costs a network, and the latter goes
    when it is prepared again.
    """
    for kind in KINDS:
        folder = root / kind
        if folder.is_symlink() or not folder.is_dir():
            continue
        for place in sorted(folder.iterdir()):
            if place.name.startswith(".") or place.is_symlink() or not (place / META).is_file():
                continue
            used = (place / META).stat().st_mtime
            if used < before:
                yield Unused(place, kind, used)


def forget(found: Unused) -> bool:
    """Delete it, unless somebody asks for it, or has asked since; whether it was deleted.

    It is hidden first, and whoever prepares it again takes away what a kill left. A run that reads it keeps its open
    files.

    Raises:
        NotNow: it cannot be deleted.
    """
    from filelock import FileLock, Timeout

    place = found.place
    try:
        with FileLock(place.with_name(f"{place.name}.lock"), timeout=0):
            if (place / META).stat().st_mtime != found.used:
                return False
            hidden = place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}.removed")
            place.rename(hidden)
            shutil.rmtree(hidden)
    except (Timeout, FileNotFoundError):
        return False
    except OSError as error:
        raise NotNow(
            f"{error.filename or place} cannot be deleted ({error.strerror}); grant access, and clean again."
        ) from error
    return True
