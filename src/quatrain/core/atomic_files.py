"""Files that appear whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quatrain.core.errors import NotNow

REMOVED = "removed"


def temporary_sibling(path: Path) -> Path:
    """A name beside ``path``, on the same file system, that no other process or thread uses."""
    return _hidden_sibling(path, "tmp")


def removed_sibling(path: Path) -> Path:
    """A name as `temporary_sibling` gives, for what is renamed before it is deleted, so that no half of it is seen."""
    return _hidden_sibling(path, REMOVED)


def _hidden_sibling(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.{kind}")


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; when the block ends it is flushed to disk and takes the place of ``path``.

    What stood at ``path`` before is seen until then, also after a crash. If the block fails, nothing is left behind.

    Raises:
        NotNow: the file cannot be written (no space, no permission), in a sentence with the folder and the cause.
    """
    temporary = temporary_sibling(path)
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8, whole or not at all.

    Raises:
        NotNow: as `replaced_whole`.
    """
    with replaced_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def cannot_write(path: Path, error: BaseException) -> NotNow:
    """The sentence for a file that could not be written; of a `NotNow` that tells of a part, the cause counts."""
    if isinstance(error, NotNow) and error.__cause__:
        error = error.__cause__
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
    return NotNow(f"{path} cannot be written ({cause}); make room or grant access there, and start again.")


def flush(path: Path) -> None:
    """Force a file, or the names in a folder, from the system's memory onto the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
