"""Files that a folder brings, whoever made it: read only where they really lie in it, and only up to a stated size."""

from pathlib import Path

from quatrain.core.errors import UserError

_CACHES = ("models--", "datasets--")
"""How the folders of the hub's cache begin; in these, ``snapshots/COMMIT/FILE`` is a link into ``blobs``."""


def stray(file: Path, folder: Path, key: str) -> str | None:
    """The sentence for a ``file`` of ``folder`` that by a link really lies elsewhere; None where it lies inside.

    The folder itself may be reached by a link, for the user named it. In the hub's cache a link from a snapshot into
    the blobs of the same repository is inside. ``key`` is where the folder was named.
    """
    try:
        place, home = file.resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        return f"{key}: {file} cannot be looked up ({getattr(error, 'strerror', None) or error}); mend or remove it."
    if place.is_relative_to(home) or any(place.is_relative_to(blobs) for blobs in _blobs(home)):
        return None
    return (
        f"{key}: {file} leads out of {folder} to {place}, and a folder may not reach beyond itself; put the file itself"
        " there in place of the link."
    )


def keep_inside(file: Path, folder: Path, key: str) -> Path:
    """Return ``file``, which really lies in ``folder``.

    Raises:
        UserError: it does not, as `stray` says.
    """
    if sentence := stray(file, folder, key):
        raise UserError(sentence)
    return file


def read_bounded(file: Path, limit: int, key: str) -> bytes:
    """The bytes of a regular file that is not larger than ``limit``.

    Raises:
        UserError: it is larger, no regular file (a device or a pipe would never end), or cannot be read.
    """
    if not file.is_file():
        raise UserError(f"{key}: {file} is no regular file; put the file itself there.")
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            content = b"" if size > limit else stream.read()
    except OSError as error:
        raise UserError(f"{key}: {file} cannot be read ({error.strerror}); check its permissions.") from error
    if size > limit:
        raise UserError(f"{key}: {file} has {megabytes(size)}, more than the {megabytes(limit)} that are read of it.")
    return content


def megabytes(size: int) -> str:
    """A number of bytes for the eye."""
    for unit, of_bytes in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= of_bytes:
            return f"{size / of_bytes:.4g} {unit}"
    return f"{size} bytes"


def _blobs(home: Path) -> list[Path]:
    """The blobs that files of ``home`` may link to, where it is a snapshot of the hub's cache, or lies in one."""
    found = []
    for place in (home, *home.parents):
        if place.parent.name == "snapshots" and place.parent.parent.name.startswith(_CACHES):
            found.append(place.parent.parent / "blobs")
    return found
