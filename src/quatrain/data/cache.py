"""What is prepared once and read by everyone: folders under the cache, named by a fingerprint of all that made them."""

import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from quatrain.core.errors import NotNow, UserError

Meta = dict[str, Any]

META = "meta.json"
"""Describes a folder; its modification time is when the folder was asked for last."""

_CODE = {
    "streams": ("windows", "token_streams", "token_file"),
    "examples": ("masked_text", "text_rows", "token_streams", "token_file"),
    "pairs": ("pairs", "pair_encoding", "token_file"),
    "tokenizers": (),
}
"""The modules here that write each kind; what they wrote does not outlive a change of them or of a tokenizer."""

KINDS = tuple(_CODE)

_log = logging.getLogger(__name__)


def fingerprint(kind: str, **parts: Any) -> str:
    """Return the sha256 (hex) of named plain values, in any order, and of the code that prepares ``kind`` from them.

    ``kind``: streams, examples, pairs or tokenizers. The code is that of the modules here that write it, that of all
    tokenizers, and the versions of the libraries that they stand on. The choice between these is not told, for the ids
    are the same.
    """
    return hashlib.sha256(json.dumps([kind, parts, _code(kind)], sort_keys=True).encode()).hexdigest()


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
        with suppress(OSError):  # a cache that is shared may be read-only
            os.utime(place / META)
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
    return dict(json.loads((place / META).read_text(encoding="utf-8"))["meta"])


def _complete(place: Path) -> bool:
    """Whether every file is there in its full size; where its description cannot be read, it is not."""
    try:
        sizes = json.loads((place / META).read_text(encoding="utf-8"))["sizes"]
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, NotADirectoryError, ValueError, LookupError, TypeError, AttributeError):
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
        (half / META).write_text(json.dumps({"meta": meta, "sizes": sizes}, indent=1), encoding="utf-8")
        half.chmod(0o755)
        for path in (*half.rglob("*"), half):
            _flush(path)
        half.replace(place)
        _flush(place.parent)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have what was written at ``path`` on the disk, so that no power cut leaves a name without its content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _code(kind: str) -> str:
    import quatrain.tokenizers

    here = Path(__file__).parent
    paths = [here / f"{name}.py" for name in _CODE[kind]]
    paths += sorted(Path(quatrain.tokenizers.__path__[0]).glob("*.py"))
    contents = (path.name.encode() + b"\0" + path.read_bytes() for path in paths)
    libraries = (version(name).encode() for name in ("tokenizers", "tiktoken"))
    return hashlib.sha256(b"\0".join([*libraries, *contents])).hexdigest()


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
