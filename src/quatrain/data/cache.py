"""What is prepared once and read by everyone: folders under the cache, named by a fingerprint of all that made them."""

import errno
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from quatrain.core.errors import NotNow, UserError

Meta = dict[str, Any]

_META = "meta.json"
_CODE = ("pair_encoding", "pairs", "text_rows", "token_file")  # what they wrote does not outlive a change of them
_log = logging.getLogger(__name__)


def fingerprint(**parts: Any) -> str:
    """Return the sha256 (hex) of named plain values, in any order, and of the code that prepares data from them."""
    return hashlib.sha256(json.dumps([parts, _code()], sort_keys=True).encode()).hexdigest()


def prepare_once(kind: str, digest: str, build: Callable[[Path], Meta], *, root: Path | None = None) -> Path:
    """Return the folder ``ROOT/KIND/DIGEST``, made by ``build`` where it is not there yet.

    ``build`` gets an empty folder to fill and returns what `read_meta` will give. However many processes ask at once,
    one builds and the others wait for it. The folder appears under its name in one step, when all of it is written;
    what a killed process left is removed by the next, never read. ``root`` is the cache folder if not given.

    Raises:
        NotNow: no space is left. UserError: the cache folder cannot be written.
    """
    if root is None:
        from quatrain.corpora.cache import cache_folder

        root = cache_folder()
    place = root / kind / digest
    if _complete(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place.with_name(f"{digest}.lock")):
            if not _complete(place):
                _publish(place, build)
    except OSError as error:
        if (sentence := _cannot_write(place, root, error)) is None:
            raise
        raise sentence from error
    return place


def read_meta(place: Path) -> Meta:
    """Return what ``build`` returned when ``place`` was made."""
    return dict(json.loads((place / _META).read_text(encoding="utf-8"))["meta"])


def _complete(place: Path) -> bool:
    """Whether every file is there in its full size."""
    try:
        sizes = json.loads((place / _META).read_text(encoding="utf-8"))["sizes"]
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _publish(place: Path, build: Callable[[Path], Meta]) -> None:
    """Build beside ``place`` and rename; the caller holds the lock, so whatever else is there is dead."""
    prefix = f".{place.name}."
    for left in [place, *place.parent.glob(f"{prefix}*")]:
        shutil.rmtree(left, ignore_errors=True)
    half = Path(tempfile.mkdtemp(prefix=prefix, dir=place.parent))
    try:
        meta = build(half)
        sizes = {str(path.relative_to(half)): path.stat().st_size for path in half.rglob("*") if path.is_file()}
        (half / _META).write_text(json.dumps({"meta": meta, "sizes": sizes}, indent=1), encoding="utf-8")
        half.chmod(0o755)
        half.replace(place)
    finally:
        shutil.rmtree(half, ignore_errors=True)


@cache
def _code() -> str:
    texts = (Path(__file__).with_name(f"{name}.py").read_bytes() for name in _CODE)
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.info("waiting for another process that prepares %s", path.with_suffix(""))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _cannot_write(place: Path, root: Path, error: OSError) -> UserError | None:
    """Say what is wrong with the cache folder; None where the error is about something else."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotNow(f"QUATRAIN_CACHE={root} has no space left for {place}; free some, or name another folder.")
    if str(error.filename or "").startswith(str(root)):
        return UserError(f"QUATRAIN_CACHE={root} cannot be written ({error.strerror}); name a folder of yours.")
    return None
