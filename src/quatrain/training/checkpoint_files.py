"""Checkpoint files: written whole, known by their own checksum, and the newest whole one found again.

A checkpoint is called ``step-STEP-SHA.ckpt``, where SHA begins the sha256 of its content, as in PyTorch's hub. So the
name alone tells whether the file is whole, and no second file can disagree with it.
"""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from quatrain.core.atomic_files import cannot_write, flush, replaced_whole
from quatrain.core.errors import NotNow, UserError

BEST = "best.ckpt"
LAST = "last.ckpt"
DIGITS = 16
"""Hex digits of the sha256 in a name: a damaged file passes with a chance of 2**-64."""

NAME = re.compile(rf"(step|within)-(\d+)-([0-9a-f]{{{DIGITS}}})\.ckpt")
SET_ASIDE = ".corrupt"
OF_THE_WRITER = re.compile(r"inline_container|PytorchStreamWriter|unexpected pos")
"""What torch's writer says when its file takes no more."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint file that names its optimizer step and its content.

    ``resumable`` is false for one that was written within a step: its weights are good, but gradients are missing.
    """

    path: Path
    step: int
    digest: str
    resumable: bool = True

    def is_whole(self) -> bool:
        """Whether the content is what the name says."""
        return digest_of(self.path) == self.digest


def saved_in(folder: Path) -> list[Saved]:
    """The checkpoints in ``folder``, whole or not, the newest first."""
    if not folder.is_dir():
        return []
    found: list[tuple[int, int, Saved]] = []
    for path in folder.iterdir():
        if (name := NAME.fullmatch(path.name)) and path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):  # another rank may set it aside at this moment
                when = path.stat().st_mtime_ns
                found.append((int(name[2]), when, Saved(path, int(name[2]), name[3], name[1] == "step")))
    return [saved for *_, saved in sorted(found, key=lambda one: one[:2], reverse=True)]


def newest_whole(folder: Path, tell: Callable[[str], None]) -> Saved | None:
    """The newest checkpoint in ``folder`` whose content is what its name says; None where there is none at all.

    ``tell`` gets a sentence for each newer one that is torn or corrupt.

    Raises:
        UserError: there are some, and none is whole.
        NotNow: one cannot be read, which says nothing of its content.
    """
    torn: list[str] = []
    for saved in saved_in(folder):
        if not saved.resumable:
            continue
        try:
            if saved.is_whole():
                for path in torn:
                    tell(
                        f"{path} is torn or corrupt (its content is not what its name says);"
                        f" {saved.path.name} is taken, which was written before it."
                    )
                return saved
        except FileNotFoundError:  # another rank has just set it aside
            continue
        except OSError as error:
            raise NotNow(
                f"{saved.path} cannot be read ({error.strerror}); see to the disk, and start again."
            ) from error
        torn.append(str(saved.path))
    if torn:
        raise UserError(
            f"{', '.join(torn)}: torn or corrupt, for the content is not what the name says, and there is no other"
            f" checkpoint; delete {folder} to begin the run anew."
        )
    return None


def whole_of_step(folder: Path, step: int) -> Saved | None:
    """The whole checkpoint of optimizer step ``step``; None where there is none."""
    return next((saved for saved in saved_in(folder) if saved.step == step and saved.is_whole()), None)


def tidy(folder: Path, start: Saved | None, *, best_step: int | None) -> None:
    """Make ``folder`` what it was when ``start`` was written, whatever came of it since.

    Newer checkpoints to resume from are corrupt, else one of them were ``start``: they are renamed, so that none is
    looked at again. The second names stand for ``start`` and for the best so far, and what killed processes left behind
    is gone.
    """
    if not folder.is_dir():
        return
    for saved in saved_in(folder):
        if start is not None and saved.path == start.path:
            break
        if saved.resumable:
            saved.path.replace(saved.path.with_name(saved.path.name + SET_ASIDE))
        elif start is None or saved.step > start.step:
            saved.path.unlink()
    best = None if best_step is None else whole_of_step(folder, best_step)
    for name, one in ((LAST, start), (BEST, best)):
        if one is None:
            (folder / name).unlink(missing_ok=True)
        else:
            second_name(one.path, folder / name)
    remove_leftovers(folder)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files and folders of processes that were killed while they wrote in ``folder``."""
    for left in folder.glob(".*.tmp"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def keep_newest(folder: Path, written: Saved, keep: int, *, best_step: int | None) -> None:
    """Delete all but ``written``, the ``keep - 1`` before it and the best, and what killed processes left behind."""
    before = [one for one in saved_in(folder) if one.path != written.path]
    earlier = [one for one in before if one.step < written.step]
    kept = [one for one in earlier if one.resumable][: keep - 1] + [one for one in earlier if one.step == best_step]
    for old in before:
        if old not in kept:
            old.path.unlink(missing_ok=True)
    remove_leftovers(folder)


def take_name(temporary: Path, step: int, digest: str, *, resumable: bool) -> Saved:
    """Give a checkpoint that was just written its lasting name."""
    path = temporary.with_name(f"{'step' if resumable else 'within'}-{step:08d}-{digest}.ckpt")
    temporary.replace(path)
    flush(path.parent)
    return Saved(path, step, digest, resumable)


def second_name(existing: Path, name: Path) -> None:
    """Make ``name`` hold what ``existing`` holds: the same bytes where the file system can, else a copy.

    Neither file is ever changed in place, so sharing is safe.
    """
    with replaced_whole(name) as temporary:
        try:
            os.link(existing, temporary)
        except OSError:
            shutil.copyfile(existing, temporary)


def digest_of(path: Path) -> str:
    """The first `DIGITS` hex digits of the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def read(path: Path, *, map_location: Any = "cpu", mapped: bool = False) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values; never one that needs code to be run.

    ``mapped`` leaves the tensors on the disk until they are looked at.

    Raises:
        UserError: the file is no such checkpoint.
    """
    try:
        content = torch.load(path, map_location=map_location, weights_only=True, mmap=mapped)
    except Exception as error:  # whatever a hostile or damaged file makes of the reader
        raise UserError(
            f"{path} is no checkpoint of tensors and plain values, so it is not read ({type(error).__name__}); delete"
            " the file, or start a new run."
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no checkpoint; delete the file.")
    return content


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints to a temporary file that is flushed and renamed: a crash leaves the one before in place.

    ``digest`` is the checksum of the last one written, in `DIGITS` digits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.digest = ""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike, storage_options: Any = None) -> None:
        """Write ``checkpoint`` to ``path``, streaming.

        Raises:
            NotNow: no space or no access.
        """
        place = Path(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with replaced_whole(place) as temporary:
                self.digest = _write(checkpoint, temporary)
        except (OSError, NotNow) as error:
            raise cannot_write(place, error) from error

    def load_checkpoint(
        self, path: str | os.PathLike, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint, as `read` does."""
        return read(Path(path), map_location=map_location)


class _Hashed:
    """A file that remembers the checksum of what is written to it, in order."""

    def __init__(self, file: Any) -> None:
        self.file, self.sha256 = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return int(self.file.write(data))

    def flush(self) -> None:
        self.file.flush()


def _write(checkpoint: dict[str, Any], path: Path) -> str:
    """Write; return the checksum of what was meant to be written, not of what the disk made of it."""
    before = sys.exception()
    with path.open("wb") as file:
        hashed = _Hashed(file)
        try:
            torch.save(checkpoint, hashed)  # type: ignore[arg-type]
        except RuntimeError as error:
            # torch's writer tells of its own confusion; what went wrong first stands behind it: what the disk said,
            # or what a signal's handler raised in the midst of it, such as torch's own for a loader that died
            first = _first(error, before)
            if isinstance(first, OSError) or not OF_THE_WRITER.search(str(first)):
                raise first from None
            raise OSError(str(first).splitlines()[0]) from error
    return hashed.sha256.hexdigest()[:DIGITS]


def _first(error: BaseException, before: BaseException | None) -> BaseException:
    """What went wrong before anything else did, and after ``before``, which was under way already."""
    while error.__context__ is not None and error.__context__ is not before:
        error = error.__context__
    return error
